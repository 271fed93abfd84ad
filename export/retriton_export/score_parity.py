"""The parity gate of cross-encoders: the same scores, alone and batched, and the same order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_export.errors import ParityError
from retriton_serving.engines import Compute, Feed

# By precision: how far a score may be off, as a share of the scores' spread over passages (or absolutely, where that is
# larger), and how many pairs of passages must keep their order.
THRESHOLDS = {
    "fp32": (1e-4, 0.999),
    "fp16": (0.02, 0.98),
    "bf16": (0.05, 0.97),
    "fp8": (0.2, 0.95),
    "int8": (0.2, 0.95),
}
_TIE = 0.01  # of the spread: passages nearer than this have no order...
_TIE_MIN = 1e-4  # ...nor those nearer than this


@dataclass(frozen=True)
class ScoreReport:
    """How far an artefact is from the checkpoint in PyTorch float32.

    Attributes:
        pairs: how many were compared.
        tokens_min, tokens_max: their lengths.
        difference_max_alone: the largest difference of a score when each pair runs by itself.
        difference_max_batched: ... when all passages of a query run in one padded batch.
        spread: the mean over queries of the standard deviation of scores.
        same_order: the share of pairs of passages, ties aside, that keep their order.
        difference_threshold: what the gate allows.
        same_order_threshold: what it asks for.
    """

    pairs: int
    tokens_min: int
    tokens_max: int
    difference_max_alone: float
    difference_max_batched: float
    spread: float
    same_order: float
    difference_threshold: float
    same_order_threshold: float

    def check(self) -> None:
        """Raises `ParityError`."""
        largest = max(self.difference_max_alone, self.difference_max_batched)
        if not (largest <= self.difference_threshold and self.same_order >= self.same_order_threshold):
            raise ParityError(
                f"the artefact differs from the checkpoint: a score is {largest:.6f} off, allowed are "
                f"{self.difference_threshold:.6f}; {self.same_order:.4f} of the passages keep their order, asked for "
                f"{self.same_order_threshold}. It was not installed. {asdict(self)}"
            )

    def summary(self) -> str:
        """For people."""
        largest = max(self.difference_max_alone, self.difference_max_batched)
        return f"largest difference of a score {largest:.6f}, same order {self.same_order:.3f} over {self.pairs} pairs"


def measure(
    reference: Compute,
    artefact: Compute,
    feed: Callable[[Sequence[list[int]]], Feed],
    queries: Sequence[Sequence[list[int]]],
    precision: str,
) -> ScoreReport:
    """Compares two ways from pairs to scores.

    Args:
        reference: the checkpoint in PyTorch.
        artefact: what would be served.
        feed: makes a batch of packed ids.
        queries: the pairs of each query.
        precision: decides the thresholds.
    """
    wanted = [reference(feed(pairs))[:, 0] for pairs in queries]
    batched = [artefact(feed(pairs))[:, 0] for pairs in queries]
    alone = [np.concatenate([artefact(feed([pair]))[:, 0] for pair in pairs]) for pairs in queries]
    spread = float(np.mean([scores.std() for scores in wanted]))
    share, order = THRESHOLDS[precision]
    lengths = [len(pair) for pairs in queries for pair in pairs]
    return ScoreReport(
        pairs=len(lengths),
        tokens_min=min(lengths),
        tokens_max=max(lengths),
        difference_max_alone=_largest_difference(wanted, alone),
        difference_max_batched=_largest_difference(wanted, batched),
        spread=spread,
        same_order=_same_order(wanted, batched, max(_TIE * spread, _TIE_MIN)),
        difference_threshold=max(share * spread, share * 0.1),
        same_order_threshold=order,
    )


def _largest_difference(a: Sequence[NDArray[np.float32]], b: Sequence[NDArray[np.float32]]) -> float:
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))


def _same_order(wanted: Sequence[NDArray[np.float32]], found: Sequence[NDArray[np.float32]], tie: float) -> float:
    same = every = 0
    for a, b in zip(wanted, found, strict=True):
        differences = a[:, None] - a[None, :]
        decided = differences > tie
        every += int(decided.sum())
        same += int((decided & (b[:, None] > b[None, :])).sum())
    return same / every if every else 1.0
