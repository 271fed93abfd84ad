"""Whether a tuned model was shown to be better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retriton_tuning.measures import Scores, interval, p_value
from retriton_tuning.splitting import TEST_MIN

P_MAX = 0.05
GAIN_MIN = 0.005  # less is not worth embedding a collection again
GUARD_LOSS_MAX = 0.01


@dataclass(frozen=True)
class Guard:
    """A general set, before and after; mean nDCG@10."""

    name: str
    before: float
    after: float

    @property
    def loss(self) -> float:
        """How much the tuned model loses."""
        return self.before - self.after


@dataclass(frozen=True)
class Verdict:
    """The result on the test part.

    Attributes:
        before, after: measures of every test query.
        p: of a paired randomisation test over queries.
        p_documents: the same, where queries about one document count as one.
        low, high: 95 % confidence interval of the gain in nDCG@10.
        guards: general sets.
        reasons: why the model is not accepted; empty if it is.
    """

    before: Scores
    after: Scores
    p: float
    p_documents: float
    low: float
    high: float
    guards: tuple[Guard, ...]
    reasons: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether the model was shown to be better, and holds the guards."""
        return not self.reasons

    @property
    def gain(self) -> float:
        """The gain in mean nDCG@10."""
        return float(np.mean(self.after.ndcg) - np.mean(self.before.ndcg))


def judge(
    before: Scores,
    after: Scores,
    groups: Sequence[int],
    guards: Sequence[Guard],
    guard_loss_max: float = GUARD_LOSS_MAX,
    doubts: Sequence[str] = (),
) -> Verdict:
    """Judges the measures of the test part.

    Args:
        before: of the original model.
        after: of the tuned one, for the same queries.
        groups: the group of documents of each query.
        guards: general sets, before and after.
        guard_loss_max: the most nDCG@10 that one may lose.
        doubts: reasons against the data itself.
    """
    differences = after.ndcg - before.ndcg
    p = p_value(before.ndcg, after.ndcg)
    p_documents = p_value(before.ndcg, after.ndcg, groups)
    low, high = interval(differences)
    gain, count = float(differences.mean()), len(differences)
    reasons = list(doubts)
    if count < TEST_MIN:
        reasons.append(f"{count} test queries are too few to show an improvement; at least {TEST_MIN} are needed")
    if gain < GAIN_MIN:
        reasons.append(f"nDCG@10 changes by {100 * gain:+.1f} points; at least {100 * GAIN_MIN:+.1f} are required")
    elif max(p, p_documents) >= P_MAX:
        reasons.append(
            f"the gain of {100 * gain:.1f} points may be chance: p is {p:.3f} by query, {p_documents:.3f} by document; "
            f"less than {P_MAX} is required"
        )
    reasons += [
        f"the guard set {guard.name} loses {100 * guard.loss:.1f} points of nDCG@10, the bound is "
        f"{100 * guard_loss_max:.1f}"
        for guard in guards
        if guard.loss > guard_loss_max
    ]
    return Verdict(before, after, p, p_documents, low, high, tuple(guards), tuple(reasons))
