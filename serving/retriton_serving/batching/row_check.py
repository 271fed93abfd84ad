"""Whether computed rows can be used: a vector that is not what the manifest says must not leave, nor be cached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retriton_serving.batching.request import Vectors
from retriton_serving.contract.manifest import LENGTH_TOLERANCE, EncoderSpec


@dataclass(frozen=True)
class RowCheck:
    """Checks the rows of a micro-batch: vectors, or scores.

    Attributes:
        dimension: number of values in a row.
        normalized: whether rows have length one.
    """

    dimension: int
    normalized: bool

    @classmethod
    def of(cls, spec: EncoderSpec) -> RowCheck:
        """The check for what a manifest describes."""
        return cls(spec.dimension, spec.normalized)

    def faults(self, rows: Vectors) -> dict[int, str]:
        """What is wrong with rows of float32 ``[texts, ...]``, by index; empty if nothing is."""
        values = rows.reshape(len(rows), -1)
        if values.shape[1] != self.dimension:
            fault = f"has {values.shape[1]} values, the manifest has {self.dimension}"
            return dict.fromkeys(range(len(rows)), fault)
        squares = np.einsum("ij,ij->i", values, values)
        if self._within(squares.min(), squares.max()):
            return {}
        faults = {
            row: self._fault(values[row]) for row, square in enumerate(squares) if not self._within(square, square)
        }
        return {row: fault for row, fault in faults.items() if fault}

    def _within(self, least: np.float32, most: np.float32) -> bool:
        """Whether squared lengths from ``least`` to ``most`` are valid; false for NaN."""
        if self.normalized:
            return bool(least >= 1 - 2 * LENGTH_TOLERANCE and most <= 1 + 2 * LENGTH_TOLERANCE)
        return bool(most < np.inf)

    def _fault(self, row: Vectors) -> str:
        """What is wrong with a row; nothing, if only its square is too large for float32."""
        if not np.isfinite(row).all():
            return "is not finite"
        return f"has length {np.linalg.norm(row.astype(np.float64)):.4g}, not 1" if self.normalized else ""
