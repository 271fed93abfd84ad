"""How passages are searched: the one declaration that library, command line and HTTP share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.retrieval.settings import DEFAULTS, LEARNED, SearchSettings
from retriton_pipeline.store.indexes import TOP_K_MAX

Mode = Literal["auto", "dense", "bm25", "hybrid"]
Fusion = Literal["weighted", "rrf"]


@dataclass(frozen=True)
class Turn:
    """One message of a conversation before the question; ``role`` is ``user`` or ``assistant``."""

    role: str
    text: str


class SearchOptions(BaseModel):
    """How passages are searched. Every field has a default, and its description is the help of the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    top_k: int = Field(5, ge=1, le=TOP_K_MAX, description="Number of passages to return.")
    mode: Mode = Field(
        "auto",
        description="dense (vectors), bm25 (words), hybrid (both, fused), or auto: hybrid where the collection has a "
        "BM25 index, else dense.",
    )
    fusion: Fusion = Field("weighted", description="Fusion of hybrid searches: weighted (scores) or rrf (ranks).")
    dense_weight: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="Weight of dense scores in the weighted fusion; BM25 has the rest. "
        "Default: the collection's, which `retriton tune-search` learns and ingestion measures, else "
        f"{DEFAULTS.dense_weight:g}.",
    )
    candidates: int | None = Field(
        None,
        ge=1,
        le=TOP_K_MAX,
        description="Chunks of each search that enter fusion, reranking and diversity. "
        f"Default: the collection's, else {DEFAULTS.candidates}.",
    )
    filter: str = Field(
        "",
        max_length=4096,
        description="Filter expression over source, title, page and metadata: 'metadata[\"year\"] > 2020'.",
    )
    min_score: float | None = Field(
        None, description="Leave out passages below this score of the last stage (a cosine, if only dense is searched)."
    )
    diversity: float = Field(
        0.0, ge=0.0, le=1.0, description="Maximal marginal relevance, from 0 (off) to 1 (diversity alone)."
    )
    rerank: bool | None = Field(
        None, description="Order the candidates with the served cross-encoder. Default: the collection's, else off."
    )
    neighbours: int = Field(
        1, ge=0, le=16, description="Chunks before and after each hit, on the same page, that join its passage."
    )
    hops: Literal[1, 2] | None = Field(
        None,
        description="With 2, a second BM25 search follows the names in the best passages (multi-hop questions). "
        f"Default: the collection's, else {DEFAULTS.hops}.",
    )
    decompose: bool = Field(False, description="Let the LLM split the question, and search for each part.")

    def resolved(self, settings: SearchSettings = DEFAULTS) -> Self:
        """The options with the settings of a collection in the place of those that are None."""
        left_open = [name for name in LEARNED if getattr(self, name) is None]
        return self.model_copy(update={name: getattr(settings, name) for name in left_open})

    @classmethod
    def of(cls, **options: Any) -> Self:
        """The options with these values.

        Raises:
            InvalidOption: an option does not exist, or its value is out of range.
        """
        try:
            return cls(**options)
        except ValidationError as error:
            raise InvalidOption("; ".join(map(_sentence, error.errors()))) from None


class SearchKeywords(TypedDict, total=False):
    """The fields of `SearchOptions` as keyword arguments, for type checkers."""

    top_k: int
    mode: Mode
    fusion: Fusion
    dense_weight: float | None
    candidates: int | None
    filter: str
    min_score: float | None
    diversity: float
    rerank: bool | None
    neighbours: int
    hops: Literal[1, 2] | None
    decompose: bool


def _sentence(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"there is no search option {name!r}; there are {', '.join(SearchOptions.model_fields)}"
    return f"{name} is {error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"
