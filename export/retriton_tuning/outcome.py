"""What a run of tuning does, and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retriton_tuning.fusion import Fusion
from retriton_tuning.interpolation import Interpolation
from retriton_tuning.labels import Labels, Task
from retriton_tuning.splitting import Split
from retriton_tuning.training import Recipe
from retriton_tuning.verdict import GUARD_LOSS_MAX, Guard, Verdict

SOURCES = ("labels", "llm", "queries", "documents")


@dataclass(frozen=True)
class Settings:
    """What a run of tuning does.

    Attributes:
        source: what pairs are made of, in `SOURCES`; empty: labels if there are any, else the best that is given.
        guards: further general sets, folders in BEIR's layout.
        guard_loss_max: the most nDCG@10 that a guard set may lose.
        seed: of all random choices.
        recipe: values of `Recipe` that replace its defaults.
    """

    source: str = ""
    guards: Sequence[Path] = ()
    guard_loss_max: float = GUARD_LOSS_MAX
    seed: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The result of tuning.

    Attributes:
        labels, split, source, recipe: what was trained on, and how.
        pairs: number of training pairs.
        verdict: the test; None where no query is judged.
        guards: general sets, before and after.
        alpha: share of the tuned weights in the written checkpoint.
        points: measured interpolations.
        history: nDCG@10 on the validation part during training.
        fusion: hybrid searches; None for cross-encoders, and where no query is judged.
        test: the test part.
        notes: what a reader of the report must know.
        seconds: of the whole run.
    """

    labels: Labels
    split: Split
    source: str
    recipe: Recipe
    pairs: int
    verdict: Verdict | None
    guards: tuple[Guard, ...]
    alpha: float
    points: Sequence[Interpolation]
    history: Sequence[float]
    fusion: Fusion | None
    test: Task
    notes: Sequence[str]
    seconds: float

    @property
    def accepted(self) -> bool:
        """Whether the tuned model was shown to be better."""
        return self.verdict is not None and self.verdict.accepted

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        verdict = self.verdict
        none = {"ndcg@10": None, "recall@5": None}
        return {
            "before": verdict.before.as_json() if verdict else none,
            "after": verdict.after.as_json() if verdict else none,
            "p": round(verdict.p, 4) if verdict else None,
            "queries": len(verdict.before.ndcg) if verdict else 0,
            "guard": [
                {"name": guard.name, "before": round(guard.before, 4), "after": round(guard.after, 4)}
                for guard in self.guards
            ],
            "alpha": self.alpha,
            "fusion": self.fusion.as_json() if self.fusion else None,
            "accepted": self.accepted,
            "seconds": round(self.seconds, 1),
        }
