"""Settings of a collection's searches: what an option is where a search leaves it open."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retriton_pipeline.errors import StoreError
from retriton_pipeline.store.indexes import TOP_K_MAX


class SearchSettings(BaseModel):
    """The options of `SearchOptions` that judged queries can decide, with values for one collection.

    Attributes:
        dense_weight, candidates, hops, rerank: see `SearchOptions`.
        queries: number of judged queries that they were learned on; 0 for those without judged queries.
        before, after: nDCG@10 of those queries with the settings without judged queries, and with these.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    dense_weight: float = Field(0.8, ge=0.0, le=1.0)
    candidates: int = Field(50, ge=1, le=TOP_K_MAX)
    hops: Literal[1, 2] = 2
    rerank: bool = False
    queries: int = 0
    before: float | None = None
    after: float | None = None

    @classmethod
    def stored(cls, values: dict[str, Any] | None, collection: str) -> Self:
        """The settings that were stored with a collection; the defaults if there are none.

        Raises:
            StoreError: they are malformed.
        """
        try:
            return cls(**values or {})
        except ValidationError as error:
            raise StoreError(
                f"the search settings of collection {collection!r} are malformed: {error}. "
                "Remove them with `retriton tune-search --reset`."
            ) from None


DEFAULTS = SearchSettings()
LEARNED = ("dense_weight", "candidates", "hops", "rerank")
