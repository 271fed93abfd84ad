"""Searches of vector stores; collections of documents can be searched like them, under their names."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retriton_pipeline.documents import Scalar
from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.gateway.services.attachments import Attachments
from retriton_pipeline.gateway.services.collections import is_collection
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.question_answering import QuestionAnswering
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.services.vector_stores import VectorStores, unknown_store
from retriton_pipeline.gateway.storage.identifiers import is_vector_store
from retriton_pipeline.retrieval import Passage, SearchOptions, Turn

_ATTRIBUTES_MAX = 16


@dataclass(frozen=True)
class FileSearchOptions:
    """How vector stores are searched.

    Attributes:
        results: at most so many.
        filter: a filter expression over metadata.
        score_min: results with a lower score are left out.
        rerank: with the served cross-encoder, if there is one.
        dense_weight: of dense scores in the fusion; None for the default.
    """

    results: int
    filter: str = ""
    score_min: float = 0.0
    rerank: bool = False
    dense_weight: float | None = None

    def search_options(self, has_reranker: bool) -> SearchOptions:
        """The options of each search. Raises `InvalidOption` if the filter is too long."""
        weight = {} if self.dense_weight is None else {"dense_weight": self.dense_weight}
        return SearchOptions.of(top_k=self.results, filter=self.filter, rerank=has_reranker, **weight)


@dataclass(frozen=True)
class FileHit:
    """A passage of a file.

    Attributes:
        passage: its source is the name of the file.
        file_id, filename, attributes: of the file; of a document in a collection, its id, source and metadata.
        score: from 0 to 1. The probability of the cross-encoder; or the fused score, relative to the other results.
    """

    passage: Passage
    file_id: str
    filename: str
    attributes: Mapping[str, Scalar]
    score: float


class FileSearch:
    """Searches vector stores.

    Args:
        vector_stores, files, attachments: what can be searched.
        questions: searches collections.
        upstream: has the cross-encoder.
    """

    def __init__(
        self,
        vector_stores: VectorStores,
        files: Files,
        attachments: Attachments,
        questions: QuestionAnswering,
        upstream: Upstream,
    ) -> None:
        self._vector_stores = vector_stores
        self._attachments = attachments
        self._files = files
        self._questions = questions
        self._upstream = upstream

    async def search(
        self,
        owner: str,
        ids: Sequence[str],
        queries: Sequence[str],
        options: FileSearchOptions,
        history: Sequence[Turn] = (),
    ) -> list[FileHit]:
        """The best passages of all vector stores for all queries, best first.

        Args:
            owner: the name of the key.
            ids: of vector stores, or names of collections.
            queries: what is searched for.
            options: how.
            history: the conversation before a single query, oldest first.

        Raises:
            ApiError: a vector store does not exist, or has expired.
            PipelineError, RetritonError: as `QuestionAnswering.retrieve`.
        """
        for id_ in ids:
            if not is_collection(id_):
                await self._vector_stores.use(owner, id_)
        reranker = await self._upstream.reranker() if options.rerank else None
        wanted = options.search_options(reranker is not None)
        searches = [self._hits(owner, id_, query, wanted, history) for id_ in ids for query in queries]
        found = [hit for hits in await asyncio.gather(*searches) for hit in hits]
        if reranker and reranker.activation != "Sigmoid":
            found = [replace(hit, score=_probability(hit.passage.score)) for hit in found]
        best: dict[tuple[str, str, int], FileHit] = {}
        for hit in sorted(found, key=lambda hit: -hit.score):
            best.setdefault((hit.file_id, hit.passage.document_id, hit.passage.chunk_index), hit)
        return [hit for hit in best.values() if hit.score >= options.score_min][: options.results]

    async def _hits(
        self, owner: str, id_: str, query: str, options: SearchOptions, history: Sequence[Turn]
    ) -> list[FileHit]:
        try:
            passages = (await self._questions.retrieve(query, id_, options, history)).passages
        except NoSuchCollection:
            if is_vector_store(id_):  # no file is ingested yet
                return []
            raise unknown_store(id_) from None
        return await self._of_files(owner, id_, passages) if is_vector_store(id_) else list(map(_document, passages))

    async def _of_files(self, owner: str, vector_store: str, passages: Sequence[Passage]) -> list[FileHit]:
        """The passages with their files; those of files that were deleted meanwhile are left out."""
        places = [passage.source.partition("/") for passage in passages]
        ids = list({file_id for file_id, _, _ in places})
        attached, names = await asyncio.gather(
            self._attachments.get_all(vector_store, ids), self._files.names(owner, ids)
        )
        return [
            FileHit(
                passage=replace(passage, source=source),
                file_id=file_id,
                filename=names[file_id],
                attributes=attached[file_id].attributes,
                score=_bounded(passage.score),
            )
            for passage, (file_id, _, source) in zip(passages, places, strict=True)
            if file_id in attached and file_id in names
        ]


def _document(passage: Passage) -> FileHit:
    """A passage of a document that is no file of a vector store."""
    scalars = {name: value for name, value in passage.metadata.items() if isinstance(value, str | int | float)}
    attributes = dict(list(scalars.items())[:_ATTRIBUTES_MAX])
    return FileHit(passage, f"file-{passage.document_id}", passage.source, attributes, _bounded(passage.score))


def _bounded(score: float) -> float:
    return min(1.0, max(0.0, score))


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, logit))))
