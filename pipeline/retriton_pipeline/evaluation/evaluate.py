"""Indexes a dataset, searches its queries, and scores the rankings."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ir_measures import ScoredDoc

from retriton_client import AsyncClient
from retriton_pipeline.calibration import calibrate
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.evaluation.configuration import Configuration
from retriton_pipeline.evaluation.corpus import OnTexts, index_corpus, index_files
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.evaluation.measures import DEPTH, per_query, summarize
from retriton_pipeline.evaluation.report import EvalReport
from retriton_pipeline.ingest import Skipped
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.retrieval.ranking import ScoredChunk
from retriton_pipeline.store import Store

_CONCURRENT_QUERIES = 8
_CHUNKS_PER_DOCUMENT = 3  # as many times more chunks are fetched where documents are split


@dataclass(frozen=True)
class Evaluation:
    """An indexed dataset; made by `indexed`.

    Attributes:
        dataset: what is scored.
        retriever: searches its collection.
        size: of the chunks; None where documents are whole.
        embed_tokens_per_s: throughput of indexing the corpus.
        on_texts: see `indexed`.
        from_files: whether files were ingested in place of the corpus.
        skipped: files that could not be read.
    """

    dataset: Dataset
    retriever: Retriever
    size: ChunkSize | None
    embed_tokens_per_s: float
    on_texts: OnTexts
    from_files: bool = False
    skipped: Sequence[Skipped] = field(default_factory=list)

    async def run(self, configuration: Configuration) -> EvalReport:
        """Searches every query in one way, and scores the rankings."""
        options = configuration.options.resolved(self.retriever.settings)
        configuration = replace(configuration, options=options)
        start = time.perf_counter()
        run = await self._rankings(configuration)
        query_ms = (time.perf_counter() - start) * 1e3 / len(self.dataset.queries)
        ranking = (
            ScoredDoc(query, document, -float(rank))
            for query, documents in run.items()
            for rank, document in enumerate(documents)
        )
        values = per_query(self.dataset.qrels, ranking)
        return EvalReport(
            self.dataset.name,
            self.dataset.split,
            configuration.name + (f", chunks of {self.size.tokens}" if self.size else ""),
            len(self.dataset.corpus),
            len(self.dataset.queries),
            summarize(values),
            values,
            {query: documents[:10] for query, documents in run.items()},
            self.embed_tokens_per_s,
            query_ms,
        )

    async def _rankings(self, configuration: Configuration) -> dict[str, list[str]]:
        slots = asyncio.Semaphore(_CONCURRENT_QUERIES)
        try:
            async with asyncio.TaskGroup() as group:
                searches = {
                    query: group.create_task(self._search(query, configuration, slots))
                    for query in self.dataset.queries
                }
        except ExceptionGroup as errors:  # not except*, which groups what it raises on Python 3.11.2
            raise errors.exceptions[0] from None
        return {query: search.result() for query, search in searches.items()}

    async def _search(self, query: str, configuration: Configuration, slots: asyncio.Semaphore) -> list[str]:
        """The ids of the documents found, best first."""
        text = self.dataset.queries[query]
        if not text:
            return []
        history = self.dataset.histories.get(query, []) if configuration.history else []
        depth = DEPTH * _CHUNKS_PER_DOCUMENT if self.size else DEPTH
        async with slots:
            chunks = await self.retriever.ranked(text, depth, configuration.options, history)
        self.on_texts(1)
        return list(dict.fromkeys(map(self._document, chunks)))[:DEPTH]

    def _document(self, chunk: ScoredChunk) -> str:
        """The id that the judgements use."""
        if not self.from_files:
            return chunk.source
        name = Path(chunk.source).name
        return f"{name}#page={chunk.page}" if chunk.page else name


@asynccontextmanager
async def indexed(
    dataset: Dataset,
    client: AsyncClient,
    milvus_uri: str,
    milvus_token: str = "",
    size: ChunkSize | None = None,
    files: Path | None = None,
    on_texts: OnTexts = lambda count: None,
) -> AsyncIterator[Evaluation]:
    """A dataset in a collection that is dropped at the end.

    Documents without text are never found, and a query without results scores zero.

    Args:
        dataset: what to score.
        client: embeds.
        milvus_uri: see `Store`.
        milvus_token: see `Store`.
        size: splits documents into chunks, of which the best one counts; None embeds each whole, truncated at the
            encoder's limit.
        files: the folder of files that the corpus was made from, to score ingestion as well; a page of a file has the
            id ``name#page=1``, a file without pages ``name``.
        on_texts: called with the number of texts that were embedded, for a progress bar.
    """
    collection = f"eval_{uuid.uuid4().hex[:12]}"
    store = await asyncio.to_thread(Store, milvus_uri, collection, milvus_token, "Strong")
    try:
        retriever = Retriever(client, store)
        if files:
            size = size or ChunkSize()
            report = await index_files(files, client, store, size, on_texts)
            rate = report.tokens / report.seconds if report.seconds else 0.0
            await calibrate(client, store)
            yield Evaluation(dataset, retriever, size, rate, on_texts, True, report.skipped)
        else:
            rate = await index_corpus(dataset, client, store, size, on_texts)
            await calibrate(client, store)
            yield Evaluation(dataset, retriever, size, rate, on_texts)
    finally:
        await asyncio.to_thread(_remove, store)


def _remove(store: Store) -> None:
    try:
        store.remove()
    finally:
        store.close()


async def evaluate(dataset: Dataset, client: AsyncClient, milvus_uri: str, milvus_token: str = "") -> EvalReport:
    """Scores the served encoder on ``dataset``: whole documents, dense search."""
    async with indexed(dataset, client, milvus_uri, milvus_token) as evaluation:
        return await evaluation.run(Configuration())
