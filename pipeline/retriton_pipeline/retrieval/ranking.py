"""Rankings: chunks by primary key, best first. What the chunks contain is fetched for the best ones only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from retriton_pipeline.store import Hit, StoredChunk


@dataclass(frozen=True)
class ScoredChunk(StoredChunk):
    """A chunk with its scores.

    Attributes:
        score: score of the last stage: a cosine, a BM25 score, a fused score, or a score of the cross-encoder.
        scores: score of each stage, by name.
    """

    score: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, chunk: StoredChunk, score: float = 0.0, scores: Mapping[str, float] | None = None) -> ScoredChunk:
        """The chunk with a score, and those of all stages."""
        values = {name: getattr(chunk, name) for name in StoredChunk.__dataclass_fields__}
        return cls(**values, score=score, scores=scores or {})


@dataclass(frozen=True)
class Ranking:
    """Chunks of a collection, best first.

    Attributes:
        scores: the score of each chunk by primary key, best first.
        stages: the scores of all stages for a primary key, by the stage's name.
    """

    scores: Mapping[str, float]
    stages: Callable[[str], dict[str, float]]

    @classmethod
    def of(cls, stage: str, hits: Iterable[Hit]) -> Ranking:
        """The ranking of a search."""
        scores = {hit.id: hit.score for hit in hits}
        return cls(scores, lambda key: {stage: scores[key]} if key in scores else {})

    def __len__(self) -> int:
        return len(self.scores)

    def ids(self) -> list[str]:
        """Primary keys, best first."""
        return list(self.scores)

    def scored(self, key: str, chunk: StoredChunk) -> ScoredChunk:
        """The chunk ``chunk`` with primary key ``key`` and its scores."""
        return ScoredChunk.of(chunk, self.scores[key], self.stages(key))
