"""Interpolates weights between the original and the tuned model (Wortsman et al., 2022: Robust fine-tuning)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from retriton_tuning.labels import Task
from retriton_tuning.measures import Scores, score
from retriton_tuning.models import RankingModel, Weights
from retriton_tuning.training import OnStep

ALPHAS = (0.25, 0.5, 0.75, 0.9, 1.0)
_GAIN_KEPT_MIN = 0.9  # of the best gain; a validation part is too small to tell smaller differences from chance


@dataclass(frozen=True)
class Interpolation:
    """A point between the original (0) and the tuned model (1), and how it ranks.

    Attributes:
        alpha: share of the tuned weights.
        validation: mean nDCG@10 on the validation part.
        guards: the measures on each guard set, in their order; empty where they were not needed.
    """

    alpha: float
    validation: float
    guards: tuple[Scores, ...] = ()


@dataclass(frozen=True)
class Line:
    """The models between the original and the tuned one.

    Attributes:
        ranking: the model, which takes the weights of each.
        base: the original's weights.
        tuned: the tuned model's weights.
    """

    ranking: RankingModel
    base: Weights
    tuned: Weights

    def set_weights(self, alpha: float) -> None:
        """Gives the model the weights ``(1 - alpha) * base + alpha * tuned``."""
        set_weights(self.ranking, self.base, self.tuned, alpha)

    def choose(
        self, validation: Task, guards: Sequence[Task], loss_max: float, tokens_max: int, on_step: OnStep
    ) -> tuple[Interpolation, list[Interpolation]]:
        """The largest share that keeps nine tenths of the best gain, and holds every guard; the model has its weights.

        Guards are measured for the original, and then for one share after the other until one holds them.

        Args:
            validation: the validation part.
            guards: general sets.
            loss_max: the most nDCG@10 that one may lose.
            tokens_max: texts of the validation part are truncated to so many tokens.
            on_step: receives a description of each step when it begins.

        Returns:
            The chosen share, and all shares. The original is chosen where nothing is better.
        """
        points = []
        for alpha in (0.0, *ALPHAS):
            on_step(f"interpolating: {alpha:g} of the tuned weights")
            self.set_weights(alpha)
            found = float(score(validation, self.ranking.rank(validation, tokens_max)).ndcg.mean())
            points.append(Interpolation(alpha, found))
        points[0] = chosen = self._guarded(points[0], guards, on_step)
        while (place := preferred(points)) is not None:
            points[place] = self._guarded(points[place], guards, on_step)
            if holds(points[place], points[0], loss_max):
                chosen = points[place]
                break
        self.set_weights(chosen.alpha)
        return chosen, points

    def _guarded(self, point: Interpolation, guards: Sequence[Task], on_step: OnStep) -> Interpolation:
        on_step(f"measuring the guards: {point.alpha:g} of the tuned weights")
        self.set_weights(point.alpha)
        return replace(point, guards=tuple(score(guard, self.ranking.rank(guard)) for guard in guards))


def set_weights(ranking: RankingModel, base: Weights, tuned: Weights, alpha: float) -> None:
    """Gives the model the weights ``(1 - alpha) * base + alpha * tuned``."""
    mixed = {
        name: value.lerp(tuned[name], alpha) if value.is_floating_point() else value for name, value in base.items()
    }
    ranking.model.load_state_dict(mixed)


def preferred(points: Sequence[Interpolation]) -> int | None:
    """The place of the largest share that keeps most of the best gain, of those whose guards were not measured."""
    gains = {place: point.validation - points[0].validation for place, point in enumerate(points) if not point.guards}
    best = max(gains.values(), default=0.0)
    return max(place for place in gains if gains[place] >= _GAIN_KEPT_MIN * best) if best > 0 else None


def holds(point: Interpolation, original: Interpolation, loss_max: float) -> bool:
    """Whether no guard set loses more than ``loss_max``."""
    return all(loss <= loss_max for loss in losses(point, original))


def losses(point: Interpolation, original: Interpolation) -> list[float]:
    """The loss of mean nDCG@10 on each guard set, in their order; empty where they were not measured."""
    if not point.guards:
        return []
    return [float(np.mean(b.ndcg) - np.mean(a.ndcg)) for b, a in zip(original.guards, point.guards, strict=True)]
