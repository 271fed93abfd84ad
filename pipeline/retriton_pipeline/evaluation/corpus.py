"""What of a dataset is embedded: whole documents, chunks of them, or chunks of the files they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import Block, Document, Unreadable, file_parts, find_files
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.store import StoredDocument, content_hash
from retriton_pipeline.tokens import TokenCounter

_Row = tuple[StoredDocument, Chunk]


def corpus_rows(
    dataset: Dataset, encoder: EncoderInfo, size: ChunkSize | None, files: Path | None, skipped: list[Unreadable]
) -> Iterator[_Row]:
    """All chunks of a corpus; the ``source`` of each is the id that the judgements have, without its page.

    What of ``files`` could not be read is added to ``skipped``.
    """
    if files:
        return _file_rows(encoder, size or ChunkSize(), files, skipped)
    if size:
        return _chunk_rows(dataset, encoder, size)
    return _whole_rows(dataset)


def _whole_rows(dataset: Dataset) -> Iterator[_Row]:
    for key, document in dataset.corpus.items():
        if document.whole:
            yield _stored(key), Chunk(document.whole, "", None, 0)


def _chunk_rows(dataset: Dataset, encoder: EncoderInfo, size: ChunkSize) -> Iterator[_Row]:
    counter = TokenCounter(encoder)
    for key, document in dataset.corpus.items():
        paragraphs = tuple(Block(part) for part in document.text.split("\n\n") if part.strip())
        for chunk in chunk_document(Document(key, document.title, paragraphs, ""), counter, size):
            yield _stored(key), chunk


def _file_rows(encoder: EncoderInfo, size: ChunkSize, folder: Path, skipped: list[Unreadable]) -> Iterator[_Row]:
    reader = Reader(encoder, size)
    try:
        parts = (part for file in find_files([folder]) for part in file_parts(file))
        for read in reader.read(parts, lambda ids: {}):
            for document in read.changed:
                for chunk in document.chunks:
                    yield replace(document.document, source=read.part.file.name), chunk
            skipped += read.unreadable
    finally:
        reader.close()


def _stored(key: str) -> StoredDocument:
    digest = content_hash([key])
    return StoredDocument(digest, key, "", digest)
