"""What a row of a collection holds, on the way in and on the way out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymilvus import CollectionSchema, DataType, Function, FunctionType

from retriton_pipeline.chunking import Chunk

TEXT_BYTES_MAX = 65535  # of a VARCHAR in Milvus
PAYLOAD = (
    "document_id",
    "content",
    "source",
    "title",
    "context",
    "page",
    "chunk_index",
    "text",
    "overlap",
    "separator",
    "metadata",
)
_TEXTS = ("source", "file", "title", "context", "text")
_ANALYZER = {"type": "standard"}


@dataclass(frozen=True)
class StoredDocument:
    """What identifies a document and the state of its content.

    Attributes:
        id: its key; hexadecimal, so that it needs no quoting in filters (see `document_id`).
        source: the path as the user wrote it.
        title: for people.
        content: digest of the id, the file and how it was chunked; other content replaces the stored one.
        file: the absolute path of the file that it is in, for pruning.
        metadata: scalars to filter by.
    """

    id: str
    source: str
    title: str
    content: str
    file: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredChunk:
    """A chunk that was found.

    Attributes:
        source, title, metadata: of its document.
        context: title and headings above it, one line.
        page: from 1, where there are pages.
        chunk_index: its place in the document, from 0.
        text: the passage.
        score: what the hits are ordered by: a cosine, BM25, a fused rank, or the logit of a cross-encoder.
        document_id, content: its document, and the state of it.
        scores: what each stage gave it, by name.
        overlap, separator: see `Chunk`.
        best_chunk: of a passage that was joined from several chunks, the text of the best.
    """

    source: str
    title: str
    context: str
    page: int | None
    chunk_index: int
    text: str
    score: float
    document_id: str = ""
    content: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    overlap: int = 0
    separator: str = "\n\n"
    best_chunk: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells chunks apart."""
        return self.document_id, self.content, self.chunk_index


def document_id(path: str, record: str = "") -> str:
    """The key of a document: its real path, so that the same file is one document however it is named.

    In a file of many documents, ``record`` tells them apart.
    """
    return _digest(f"{path}\0{record}" if record else path)


def content_digest(parts: Iterable[object]) -> str:
    """One digest for all that decides a document's chunks."""
    return _digest(json.dumps(list(parts), default=str))


def chunk_id(document: str, content: str, index: int) -> str:
    """The primary key of a chunk."""
    return _digest(f"{document} {content} {index}")


def add_fields(schema: CollectionSchema, dimension: int, keywords: bool) -> None:
    """The fields of a collection; with ``keywords``, those that BM25 needs."""
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=32)
    schema.add_field("document_id", DataType.VARCHAR, max_length=32)
    schema.add_field("content", DataType.VARCHAR, max_length=32)
    schema.add_field("chunk_index", DataType.INT64)
    schema.add_field("overlap", DataType.INT64)
    schema.add_field("separator", DataType.VARCHAR, max_length=64)
    schema.add_field("page", DataType.INT64)  # 0 where there are no pages
    for name in _TEXTS:
        schema.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES_MAX)
    schema.add_field("metadata", DataType.JSON)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    if keywords:  # of the headings, too: without them BM25 finds less (docs/log.md)
        analyzer = {"enable_analyzer": True, "analyzer_params": _ANALYZER}
        schema.add_field("words", DataType.VARCHAR, max_length=TEXT_BYTES_MAX, **analyzer)
        schema.add_field("keywords", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["words"], ["keywords"]))


def to_row(document: StoredDocument, chunk: Chunk, vector: NDArray[np.float32], keywords: bool) -> dict[str, Any]:
    """A chunk as Milvus takes it, into a collection with or without ``keywords``."""
    words = {"words": _storable(chunk.embedded_text)} if keywords else {}
    return {
        "id": chunk_id(document.id, document.content, chunk.index),
        "document_id": document.id,
        "content": document.content,
        "chunk_index": chunk.index,
        "page": chunk.page or 0,
        "source": _storable(document.source),
        "file": _storable(document.file),
        "title": _storable(document.title),
        "context": _storable(chunk.context),
        "text": _storable(chunk.text),
        "overlap": chunk.overlap,
        "separator": chunk.separator[:16],
        "metadata": dict(document.metadata),
        "vector": vector,
        **words,
    }


def to_scored_chunk(payload: Mapping[str, Any], stage: str, score: float) -> ScoredChunk:
    """A row of Milvus, with the score that a stage gave it."""
    values = {name: payload[name] for name in PAYLOAD}
    return ScoredChunk(**{**values, "page": values["page"] or None}, score=score, scores={stage: score})


def _storable(text: str) -> str:
    """What fits into a VARCHAR: valid UTF-8 without NUL, cut to its bytes."""
    return text.replace("\0", "").encode("utf-8", "replace")[:TEXT_BYTES_MAX].decode("utf-8", "ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
