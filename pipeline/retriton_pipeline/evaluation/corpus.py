"""Indexes the corpus of a dataset: whole documents, chunks of them, or the files that they were made from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import Block, Document
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.ingest import IngestOptions, IngestReport, Progress, ingest_paths
from retriton_pipeline.store import Store, StoredDocument, content_hash
from retriton_pipeline.tokens import TokenCounter

OnTexts = Callable[[int], None]
_Row = tuple[StoredDocument, Chunk]
_INDEX = "flat"  # exact search
_TEXTS_PER_CALL = 256
_CHARACTERS_MAX = 100_000  # the encoder truncates far earlier, and the server refuses longer texts


async def index_corpus(
    dataset: Dataset, client: AsyncClient, store: Store, size: ChunkSize | None, on_texts: OnTexts
) -> float:
    """Embeds and stores a corpus; the source of each chunk is the document's id in the judgements.

    Args:
        dataset: whose corpus.
        client: embeds.
        store: where to; the collection is created.
        size: of chunks; None embeds each document whole.
        on_texts: called with the number of texts that were embedded.

    Returns:
        Tokens embedded per second.
    """
    encoder = await client.encoder_info()
    await asyncio.to_thread(store.open, encoder, True, _INDEX)
    rows = batched(_chunks(dataset, encoder, size) if size else _whole_documents(dataset), _TEXTS_PER_CALL)
    tokens, seconds = 0, 0.0
    while batch := await asyncio.to_thread(next, rows, None):
        start = time.perf_counter()
        texts = [chunk.embedded_text[:_CHARACTERS_MAX] for _, chunk in batch]
        embeddings = await client.embed(texts, "passage", truncate="END")
        seconds += time.perf_counter() - start
        tokens += int(embeddings.tokens.sum())
        await asyncio.to_thread(store.upsert, batch, embeddings.vectors)
        on_texts(len(batch))
    return tokens / seconds if seconds else 0.0


async def index_files(
    folder: Path, client: AsyncClient, store: Store, size: ChunkSize, on_texts: OnTexts
) -> IngestReport:
    """Ingests the files that a corpus was made from, as `retriton ingest` does. Arguments as for `index_corpus`."""
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        on_texts(progress.chunks - done)
        done = progress.chunks

    options = IngestOptions(chunk_size=size, index=_INDEX)
    return await ingest_paths([folder], client, store, options, show)


def _whole_documents(dataset: Dataset) -> Iterator[_Row]:
    for key, document in dataset.corpus.items():
        if document.whole:
            yield _stored(key), Chunk(document.whole, "", None, 0)


def _chunks(dataset: Dataset, encoder: EncoderInfo, size: ChunkSize) -> Iterator[_Row]:
    counter = TokenCounter(encoder)
    for key, document in dataset.corpus.items():
        paragraphs = tuple(Block(part) for part in document.text.split("\n\n") if part.strip())
        for chunk in chunk_document(Document(key, document.title, paragraphs, ""), counter, size):
            yield _stored(key), chunk


def _stored(key: str) -> StoredDocument:
    digest = content_hash([key])
    return StoredDocument(digest, key, "", digest)
