"""The parity gate of cross-encoders: compares scores, alone and in batches, and the order of passages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_export.errors import ParityError
from retriton_serving.engines import Compute, Feed

# By precision: the maximum difference of a score, as a share of the standard deviation of the scores (of at least 0.1),
# and the minimum share of pairs of passages that keep their order.
THRESHOLDS = {
    "fp32": (1e-4, 0.999),
    "fp16": (0.02, 0.98),
    "bf16": (0.05, 0.97),
    "fp8": (0.2, 0.95),
    "int8": (0.2, 0.95),
}
_TIE = 0.01  # share of the standard deviation below which two scores count as tied
_TIE_MIN = 1e-4  # absolute minimum of that difference

_GOLDEN_MIN = 0.02  # a GPU that computes float32 in TF32 differs by more than the gate of fp32 allows


@dataclass(frozen=True)
class ScoreReport:
    """Differences between an artefact and the checkpoint in PyTorch float32.

    Attributes:
        pairs: number of compared pairs.
        tokens_min, tokens_max: lengths of the shortest and the longest pair.
        difference_max_alone: largest difference of a score with each pair computed alone.
        difference_max_batched: largest difference with all passages of a query in one padded batch.
        spread: standard deviation of the scores of a query, averaged over queries.
        same_order: share of pairs of passages, without ties, that keep their order.
        difference_threshold: maximum difference of a score.
        same_order_threshold: minimum of ``same_order``.
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
        """Raises `ParityError` if a threshold is not met."""
        largest = max(self.difference_max_alone, self.difference_max_batched)
        if not (largest <= self.difference_threshold and self.same_order >= self.same_order_threshold):
            raise ParityError(
                f"the artefact differs from the checkpoint: a score differs by {largest:.6f}, the maximum is "
                f"{self.difference_threshold:.6f}; {self.same_order:.4f} of the passages keep their order, "
                f"the minimum is {self.same_order_threshold}. It was not installed. {asdict(self)}"
            )

    def summary(self) -> str:
        """Returns a one-line summary."""
        largest = max(self.difference_max_alone, self.difference_max_batched)
        return f"largest difference of a score {largest:.6f}, same order {self.same_order:.3f} over {self.pairs} pairs"


def golden_tolerance(score: float, precision: str) -> float:
    """Returns the largest difference between a score of a served artefact and the same score at its export."""
    return max(THRESHOLDS[precision][0], _GOLDEN_MIN) * max(abs(score), 1.0)


def measure(
    reference: Compute,
    artefact: Compute,
    feed: Callable[[Sequence[list[int]]], Feed],
    queries: Sequence[Sequence[list[int]]],
    precision: str,
) -> ScoreReport:
    """Compares the scores of an artefact with a reference.

    Args:
        reference: checkpoint in PyTorch.
        artefact: artefact in the engine that serves it.
        feed: converts packed ids of pairs to a batch of inputs.
        queries: packed ids of the pairs of each query.
        precision: precision of the artefact, which selects the thresholds.
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
