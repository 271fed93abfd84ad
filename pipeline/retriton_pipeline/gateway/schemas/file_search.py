"""Searches of vector stores, as OpenAI defines them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, RequestBody, Text
from retriton_pipeline.gateway.schemas.file_filters import FileFilter, expression_of
from retriton_pipeline.gateway.services.file_search import FileHit, FileSearchOptions

_QUERIES_MAX = 16
RESULTS_MAX = 50
_Queries = Annotated[list[Text], Field(min_length=1, max_length=_QUERIES_MAX, fail_fast=True)]
Queries = Annotated[Annotated[Text, Tag("[one]")] | Annotated[_Queries, Tag("[many]")], ONE_OR_MANY]


class HybridWeights(RequestBody):
    """Weights of the fusion of dense and BM25 scores; at least one is more than zero."""

    embedding_weight: float = Field(ge=0, le=1e6)
    text_weight: float = Field(ge=0, le=1e6)


class RankingOptions(RequestBody):
    """How results are ranked."""

    ranker: Literal["none", "auto", "default-2024-11-15", "default_2024_08_21"] = Field(
        "none", description="`none`: by dense and BM25 scores. Others: by the served cross-encoder, if there is one."
    )
    score_threshold: float = Field(0.0, ge=0, le=1, description="Results with a lower score are left out.")
    hybrid_search: HybridWeights | None = None


class _EmptyIsNull:
    """An object without fields is null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(lambda value: None if value == {} else value, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema["anyOf"].append({"type": "object", "maxProperties": 0})
        return schema


class SearchFields(RequestBody):
    """How vector stores are searched."""

    filters: Annotated[FileFilter | None, _EmptyIsNull()] = None
    max_num_results: int = Field(10, ge=1, le=RESULTS_MAX)
    ranking_options: RankingOptions = Field(default_factory=RankingOptions)

    @property
    def options(self) -> FileSearchOptions:
        """What is asked for. Raises `ApiError` if the filters are invalid."""
        ranking, dense_weight = self.ranking_options, None
        if weights := ranking.hybrid_search:
            if not (total := weights.embedding_weight + weights.text_weight):
                message = "ranking_options.hybrid_search: both weights are 0"
                raise ApiError(400, "invalid_request", message, "ranking_options.hybrid_search")
            dense_weight = weights.embedding_weight / total
        return FileSearchOptions(
            results=self.max_num_results,
            filter=expression_of(self.filters),
            score_min=ranking.score_threshold,
            rerank=ranking.ranker != "none",
            dense_weight=dense_weight,
        )


class VectorStoreSearchRequest(SearchFields):
    """A search of one vector store; of several queries, the best results of each."""

    query: Queries
    rewrite_query: bool = Field(False, description="Let the LLM split the query into simple ones, if there is an LLM.")


class ResultText(BaseModel):
    """A text of a result."""

    type: Literal["text"] = "text"
    text: str


class SearchResult(BaseModel):
    """A passage of a file."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, str | bool | int | float]
    content: list[ResultText]


class SearchResults(BaseModel):
    """The results, best first, and the queries that were searched."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchResult]
    has_more: Literal[False] = False
    next_page: None = None

    @classmethod
    def of(cls, queries: list[str], hits: list[FileHit]) -> Self:
        """The body for the results of queries."""
        results = [
            SearchResult(
                file_id=hit.file_id,
                filename=hit.filename,
                score=hit.score,
                attributes=dict(hit.attributes),
                content=[ResultText(text=hit.passage.text)],
            )
            for hit in hits
        ]
        return cls(search_query=queries, data=results)
