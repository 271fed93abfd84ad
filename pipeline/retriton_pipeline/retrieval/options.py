"""How passages are looked for."""

from __future__ import annotations

from dataclasses import dataclass

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.store.indexes import TOP_K_MAX

MODES = ("auto", "dense", "bm25", "hybrid")
FUSIONS = ("weighted", "rrf")


@dataclass(frozen=True)
class Turn:
    """Something said before the question; ``role`` is ``user`` or ``assistant``."""

    role: str
    text: str


@dataclass(frozen=True)
class SearchOptions:
    """How passages are looked for.

    Attributes:
        mode: ``dense`` (vectors), ``bm25`` (words), ``hybrid`` (both, fused), or ``auto``: hybrid where the
            collection has a keyword index, else dense.
        fusion: ``weighted`` (scores) or ``rrf`` (ranks).
        dense_weight: of vectors in the weighted fusion; words have the rest.
        candidates: how many hits of each search go into fusion, reranking and diversity.
        condition: a filter in Milvus' language, such as ``metadata["year"] > 2020``.
        min_score: passages below this score are left out; of the last stage, so a cosine for dense alone.
        diversity: maximal marginal relevance, from 0 (none) to 1.
        rerank: whether a cross-encoder orders the candidates.
        neighbours: how many chunks before and after each hit are joined to it.
        decompose: whether an LLM splits the question into simple ones, which are searched beside it.
        hops: 1 or 2 searches by words; the second looks for names in what the first found.
    """

    mode: str = "auto"
    fusion: str = "weighted"
    dense_weight: float = 0.6
    candidates: int = 50
    condition: str = ""
    min_score: float | None = None
    diversity: float = 0.0
    rerank: bool = False
    neighbours: int = 0
    decompose: bool = False
    hops: int = 2

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise PipelineError(f"the mode is {self.mode!r}, it must be one of {', '.join(MODES)}")
        if self.fusion not in FUSIONS:
            raise PipelineError(f"the fusion is {self.fusion!r}, it must be one of {', '.join(FUSIONS)}")
        if not 0.0 <= self.dense_weight <= 1.0:
            raise PipelineError(f"the weight of vectors is {self.dense_weight}, it must be from 0 to 1")
        if not 1 <= self.candidates <= TOP_K_MAX:
            raise PipelineError(f"candidates are {self.candidates}, they must be from 1 to {TOP_K_MAX}")
        if not 0.0 <= self.diversity <= 1.0:
            raise PipelineError(f"diversity is {self.diversity}, it must be from 0 to 1")
        if not 0 <= self.neighbours <= 16:
            raise PipelineError(f"neighbours are {self.neighbours}, they must be from 0 to 16")
        if self.hops not in (1, 2):
            raise PipelineError(f"hops are {self.hops}, they must be 1 or 2")
