"""The rows of a collection: documents and chunks as Milvus stores and returns them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymilvus import CollectionSchema, DataType, Function, FunctionType

from retriton_pipeline.analysis import ANALYSIS, terms
from retriton_pipeline.chunking import Chunk, with_context

TEXT_BYTES_MAX = 65535  # limit of VARCHAR fields in Milvus
PAYLOAD = (
    "document_id",
    "content_hash",
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
COPIED = ("id", "file", *PAYLOAD)  # all fields of a row but those that an encoder or an index made
_TEXTS = ("source", "file", "title", "context", "text")
_ANALYZER = {"tokenizer": "whitespace"}


@dataclass(frozen=True)
class StoredDocument:
    """Identifies a document and the version of its content.

    Attributes:
        id: hexadecimal key (see `document_id`), which needs no escaping in filters.
        source: path as given by the user.
        title: title of the document.
        content_hash: digest of the id, the file's bytes and the chunk size; a new hash replaces the stored chunks.
        file: absolute path of the file, for pruning.
        metadata: scalar values for filters.
    """

    id: str
    source: str
    title: str
    content_hash: str
    file: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Hit(NamedTuple):
    """A chunk that a search found.

    Attributes:
        id: primary key of the chunk.
        score: a cosine or a BM25 score.
        chunk: the chunk, if the search was asked to return it.
    """

    id: str
    score: float
    chunk: StoredChunk | None = None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it is stored. It never changes: another content of the document has another content hash.

    Attributes:
        document_id, content_hash: id and content hash of the document.
        source, title, metadata: see `StoredDocument`.
        context: title and headings above the chunk, in one line.
        page: page number from 1; None for documents without pages.
        chunk_index: position in the document, from 0.
        text: text of the chunk.
        overlap, separator: see `Chunk`.
    """

    source: str
    title: str
    context: str
    page: int | None
    chunk_index: int
    text: str
    document_id: str = ""
    content_hash: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    overlap: int = 0
    separator: str = "\n\n"

    @property
    def key(self) -> tuple[str, str, int]:
        """Document id, content hash and index, which identify the chunk."""
        return self.document_id, self.content_hash, self.chunk_index

    @property
    def id(self) -> str:
        """The primary key."""
        return chunk_id(*self.key)

    def sibling_id(self, index: int) -> str:
        """The primary key of another chunk of the same content, whether it exists or not."""
        return chunk_id(self.document_id, self.content_hash, index)

    def neighbour_ids(self, distance: int) -> list[str]:
        """Primary keys of the chunks at most ``distance`` positions before or after this one; not all may exist."""
        first = max(0, self.chunk_index - distance)
        places = range(first, self.chunk_index + distance + 1)
        return [self.sibling_id(at) for at in places if at != self.chunk_index]


def document_id(path: str, record: str = "") -> str:
    """Computes the key of a document from its real path, so that a file is one document under all its paths.

    ``record`` distinguishes the documents of a file of records.
    """
    return _digest(f"{path}\0{record}" if record else path)


def content_hash(parts: Iterable[object]) -> str:
    """Computes a digest of ``parts``, which determine the chunks of a document."""
    return _digest(json.dumps(list(parts), default=str))


def chunk_id(document: str, content_hash: str, index: int) -> str:
    """Computes the primary key of a chunk."""
    return _digest(f"{document} {content_hash} {index}")


def add_fields(schema: CollectionSchema, dimension: int, with_bm25: bool) -> None:
    """Adds the fields of a collection to ``schema``; ``with_bm25`` adds those of the BM25 index."""
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=32)
    schema.add_field("document_id", DataType.VARCHAR, max_length=32)
    schema.add_field("content_hash", DataType.VARCHAR, max_length=32)
    schema.add_field("chunk_index", DataType.INT64)
    schema.add_field("overlap", DataType.INT64)
    schema.add_field("separator", DataType.VARCHAR, max_length=64)
    schema.add_field("page", DataType.INT64)  # 0 for documents without pages
    for name in _TEXTS:
        schema.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES_MAX)
    schema.add_field("metadata", DataType.JSON)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    if with_bm25:  # includes headings, which improve recall (docs/log.md)
        analyzer = {"enable_analyzer": True, "analyzer_params": _ANALYZER}
        schema.add_field("bm25_text", DataType.VARCHAR, max_length=TEXT_BYTES_MAX, **analyzer)
        schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25_of_text", FunctionType.BM25, ["bm25_text"], ["bm25"]))


def to_row(
    document: StoredDocument, chunk: Chunk, vector: NDArray[np.float32], with_bm25: bool, analysis: int = ANALYSIS
) -> dict[str, Any]:
    """Converts a chunk to a row for Milvus.

    Args:
        document: of the chunk.
        chunk: the chunk.
        vector: of the chunk, float32 ``[dimension]``.
        with_bm25: whether to add the text of the BM25 index.
        analysis: see `bm25_text`.
    """
    bm25 = {"bm25_text": bm25_text(chunk.embedded_text, analysis)} if with_bm25 else {}
    return {
        "id": chunk_id(document.id, document.content_hash, chunk.index),
        "document_id": document.id,
        "content_hash": document.content_hash,
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
        **bm25,
    }


def embedded_text(row: Mapping[str, Any]) -> str:
    """Returns the text whose vector a row has (see `Chunk.embedded_text`)."""
    return with_context(row["context"], row["text"])


def with_vector(row: Mapping[str, Any], vector: NDArray[np.float32], with_bm25: bool) -> dict[str, Any]:
    """Returns a row with the fields `COPIED` as a row for another version, with its vector, float32 ``[dimension]``."""
    bm25 = {"bm25_text": bm25_text(embedded_text(row))} if with_bm25 else {}
    return {**{name: row[name] for name in COPIED}, "vector": vector, **bm25}


def bm25_text(text: str, analysis: int = ANALYSIS) -> str:
    """Returns the text that the BM25 index gets for a stored text or a query: its terms, separated by spaces.

    Args:
        text: the text or the query.
        analysis: of the collection (see `Description`); with 0, Milvus gets the text as it is.
    """
    return _storable(" ".join(terms(text)) if analysis else text)


def size_of_row(row: Mapping[str, Any]) -> int:
    """Returns about how many bytes a row of `to_row` has."""
    metadata = json.dumps(row["metadata"], default=str)
    texts = (value for value in row.values() if isinstance(value, str))
    return int(row["vector"].nbytes) + len(metadata) + sum(len(text.encode()) for text in texts)


def to_chunk(payload: Mapping[str, Any]) -> StoredChunk:
    """Converts a row of Milvus with the fields `PAYLOAD`."""
    values = {name: payload[name] for name in PAYLOAD}
    return StoredChunk(**{**values, "page": values["page"] or None})


def _storable(text: str) -> str:
    """Converts text for a VARCHAR field: valid UTF-8 without NUL, truncated to the maximum size."""
    return text.replace("\0", "").encode("utf-8", "replace")[:TEXT_BYTES_MAX].decode("utf-8", "ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
