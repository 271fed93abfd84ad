"""A small grid of shapes, so that recorded work (a CUDA graph) serves micro-batches of every shape."""

from __future__ import annotations

from dataclasses import dataclass

_STEPS_PER_OCTAVE = 8
_LENGTH_STEP_MIN = 8  # tensor cores compute in tiles of 8


@dataclass(frozen=True)
class ShapeGrid:
    """Rounds shapes ``[rows, length]`` up to the grid.

    From one power of two to the next there are eight lengths and eight numbers of rows, so that either grows by less
    than an eighth.

    Attributes:
        length_max: the longest row of the model; the grid does not go beyond it.
    """

    length_max: int

    def fit(self, rows: int, length: int) -> tuple[int, int]:
        """The smallest shape of the grid that contains ``[rows, length]``."""
        rounded = _round_up(length, max(_LENGTH_STEP_MIN, _step(length)))
        return _round_up(rows, _step(rows)), max(length, min(rounded, self.length_max))


def _step(size: int) -> int:
    """The distance of the values of the grid around ``size``: a power of two, at most an eighth of it, at least 1."""
    return 1 << max(0, (size // _STEPS_PER_OCTAVE).bit_length() - 1)


def _round_up(size: int, step: int) -> int:
    return -(-size // step) * step
