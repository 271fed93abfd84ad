"""Interpolates weights between the original and the tuned model (Wortsman et al., 2022: Robust fine-tuning)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retriton_tuning.labels import Task
from retriton_tuning.measures import Scores, score
from retriton_tuning.models import RankingModel, Weights

ALPHAS = (0.25, 0.5, 0.75, 1.0)
_GAIN_KEPT_MIN = 0.9  # of the best gain; the smallest such alpha forgets least


@dataclass(frozen=True)
class Interpolation:
    """A point between the original (0) and the tuned model (1), and how it ranks.

    Attributes:
        alpha: share of the tuned weights.
        validation: mean nDCG@10 on the validation part.
        guards: the measures on each guard set, in their order.
    """

    alpha: float
    validation: float
    guards: tuple[Scores, ...]


def set_weights(ranking: RankingModel, base: Weights, tuned: Weights, alpha: float) -> None:
    """Gives the model the weights ``(1 - alpha) * base + alpha * tuned``."""
    mixed = {
        name: value.lerp(tuned[name], alpha) if value.is_floating_point() else value for name, value in base.items()
    }
    ranking.model.load_state_dict(mixed)


def measure(
    ranking: RankingModel, alpha: float, validation: Task, guards: Sequence[Task], tokens_max: int
) -> Interpolation:
    """Measures the model as it is."""
    found = float(score(validation, ranking.rank(validation, tokens_max)).ndcg.mean())
    return Interpolation(alpha, found, tuple(score(guard, ranking.rank(guard)) for guard in guards))


def choose(points: Sequence[Interpolation], loss_max: float) -> Interpolation:
    """The least alpha that keeps most of the gain on the validation part, and holds every guard.

    Args:
        points: measured ones; the first is the original, which is chosen where nothing is better.
        loss_max: the most nDCG@10 that a guard set may lose.
    """
    original = points[0]
    allowed = [point for point in points[1:] if holds(point, original, loss_max)]
    gain = max((point.validation for point in allowed), default=0.0) - original.validation
    if gain <= 0:
        return original
    return next(point for point in allowed if point.validation - original.validation >= _GAIN_KEPT_MIN * gain)


def holds(point: Interpolation, original: Interpolation, loss_max: float) -> bool:
    """Whether no guard set loses more than ``loss_max``."""
    losses = [float(np.mean(b.ndcg) - np.mean(a.ndcg)) for b, a in zip(original.guards, point.guards, strict=True)]
    return all(loss <= loss_max for loss in losses)
