"""The vector store: one Milvus collection of chunks, made for one encoder."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import EncoderMismatch, NoSuchCollection, StoreError

T = TypeVar("T")
# Without a timeout pymilvus repeats a failing call 75 times, for minutes.
_TIMEOUT_S = 30.0
_BYTES_MAX = 65535  # of a VARCHAR in Milvus
_PAYLOAD = ["source", "title", "context", "page", "chunk_index", "text"]


@dataclass(frozen=True)
class StoredDocument:
    """What identifies a document and the state of its content.

    Attributes:
        id: its key; hexadecimal, so that it needs no quoting in filters (see `document_id`).
        source: the path as the user wrote it.
        title: for people.
        content: digest of the id, the file and how it was chunked; other content replaces the stored one.
    """

    id: str
    source: str
    title: str
    content: str


@dataclass(frozen=True)
class Hit:
    """A chunk that was found, with its score (inner product; cosine, where vectors have length one)."""

    source: str
    title: str
    context: str
    page: int | None
    chunk_index: int
    text: str
    score: float


class Store:
    """A collection of chunks.

    Args:
        uri: a file name for Milvus Lite, or ``http://host:port`` for a Milvus server.
        collection: its name.
        token: ``user:password`` or an API key of a server.

    Raises:
        StoreError: Milvus cannot be reached, or the file is in use or broken.
    """

    def __init__(self, uri: str, collection: str, token: str = "") -> None:
        self.uri = uri
        self.collection = collection
        self._is_file = "://" not in uri
        if self._is_file:
            if not uri.endswith(".db"):
                raise StoreError(f"{uri} is neither http://host:port nor a Milvus Lite file, whose name ends in .db")
            Path(uri).absolute().parent.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():
                # Milvus Lite 2.5 imports pkg_resources, which warns on every start that it will go away.
                warnings.filterwarnings("ignore", message=".*pkg_resources")
                self._milvus = MilvusClient(uri, token=token, timeout=_TIMEOUT_S)
        except (MilvusException, OSError, ValueError) as error:
            hint = "Is the file in use by another process?" if self._is_file else "Is Milvus running there?"
            raise StoreError(f"cannot open {uri}: {_text(error)}. {hint}") from error

    def close(self) -> None:
        """Closes the connection, and lets go of the file."""
        self._milvus.close()

    def open(self, encoder: EncoderInfo, create: bool = False) -> None:
        """Checks that the collection fits the served encoder, before anything is searched or added.

        Raises:
            NoSuchCollection: there is none, and ``create`` is false.
            EncoderMismatch: it was made with another encoder.
        """
        if not self._call(self._milvus.has_collection, self.collection):
            if not create:
                names = ", ".join(sorted(self._call(self._milvus.list_collections))) or "none"
                raise NoSuchCollection(
                    f"{self.uri} has no collection {self.collection!r} (it has: {names}). Run `retriton ingest` first."
                )
            self._create(encoder)
        made_with = _parse_description(self._call(self._milvus.describe_collection, self.collection)["description"])
        if made_with.get("fingerprint") != encoder.fingerprint:
            raise EncoderMismatch(
                f"collection {self.collection!r} was made with {made_with.get('encoder', 'another program')} "
                f"({made_with.get('fingerprint', 'no fingerprint')}), the server has {encoder.name} "
                f"({encoder.fingerprint}): their vectors cannot be compared. "
                "Serve that encoder, or ingest into another --collection."
            )
        if not self._call(self._milvus.list_indexes, self.collection):  # whoever created it was interrupted
            self._call(self._milvus.create_index, self.collection, index_params=self._index(encoder))
        self._call(self._milvus.load_collection, self.collection)

    def drop(self) -> None:
        """Removes the collection and all that is in it."""
        self._call(self._milvus.drop_collection, self.collection)

    def count(self) -> int:
        """How many chunks are stored."""
        rows = self._call(
            self._milvus.query, self.collection, filter="", output_fields=["count(*)"], consistency_level="Strong"
        )
        return int(rows[0]["count(*)"])

    def contents(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """The complete contents stored of each document, by its id. Usually one, two after an interruption."""
        found: dict[str, set[str]] = {}
        ids = json.dumps(list(document_ids))
        # The first chunk is written last, so where it is, the others are.
        rows = self._call(
            self._milvus.query,
            self.collection,
            filter=f"document_id in {ids} and chunk_index == 0",
            output_fields=["document_id", "content"],
            consistency_level="Strong",
        )
        for row in rows:
            found.setdefault(row["document_id"], set()).add(row["content"])
        return found

    def upsert(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> None:
        """Writes chunks with their vectors, float32 ``[rows, dimension]``; the same chunk again changes nothing."""
        data = [_row(*row, vector) for row, vector in zip(rows, vectors, strict=True)]
        self._call(self._milvus.upsert, self.collection, data=data)

    def delete_other_contents(self, documents: Sequence[StoredDocument]) -> None:
        """Removes what other contents of these documents left: earlier ones, and those of interrupted runs."""
        ids = json.dumps([document.id for document in documents])
        contents = json.dumps([document.content for document in documents])
        condition = f"document_id in {ids} and content not in {contents}"
        self._call(self._milvus.delete, self.collection, filter=condition)

    def search(self, vectors: NDArray[np.float32], top_k: int, consistency: str = "Bounded") -> list[list[Hit]]:
        """The ``top_k`` nearest chunks of each vector, best first.

        Args:
            vectors: float32 ``[queries, dimension]``.
            top_k: how many at the most.
            consistency: Milvus' level; Bounded may miss what was written in the last moments, and does not wait.
        """
        found = self._call(
            self._milvus.search,
            self.collection,
            data=vectors,
            limit=top_k,
            output_fields=_PAYLOAD,
            consistency_level=consistency,
        )
        return [[_hit(row) for row in rows] for rows in found]

    def _create(self, encoder: EncoderInfo) -> None:
        made_with = {"encoder": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension}
        schema = self._milvus.create_schema(
            auto_id=False, enable_dynamic_field=False, description=json.dumps(made_with)
        )
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=32)
        schema.add_field("document_id", DataType.VARCHAR, max_length=32)
        schema.add_field("content", DataType.VARCHAR, max_length=32)
        schema.add_field("chunk_index", DataType.INT64)
        schema.add_field("page", DataType.INT64)  # 0 where there are no pages
        for name in ("source", "title", "context", "text"):
            schema.add_field(name, DataType.VARCHAR, max_length=_BYTES_MAX)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=encoder.dimension)
        self._call(self._milvus.create_collection, self.collection, schema=schema, index_params=self._index(encoder))

    def _index(self, encoder: EncoderInfo) -> Any:
        """Exact in the embedded file; a server chooses its best approximate index. GPU indexes know no COSINE."""
        index = self._milvus.prepare_index_params()
        metric = "IP" if encoder.normalized else "COSINE"
        index.add_index("vector", index_type="FLAT" if self._is_file else "AUTOINDEX", metric_type=metric)
        return index

    def _call(self, method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            return method(*args, timeout=_TIMEOUT_S, **kwargs)
        except MilvusException as error:
            raise StoreError(f"{self.uri}: {_text(error)}") from error


def document_id(file: Path) -> str:
    """The key of a document: its absolute path, so that the same file is one document however it is named."""
    return _digest(str(file.resolve()))


def content_digest(parts: Iterable[object]) -> str:
    """One digest for all that decides a document's chunks."""
    return _digest(json.dumps(list(parts), default=str))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _parse_description(text: str) -> dict[str, Any]:
    """What this program wrote into a collection's description; empty if another program made the collection."""
    try:
        made_with = json.loads(text)
    except ValueError:
        return {}
    return made_with if isinstance(made_with, dict) else {}


def _row(document: StoredDocument, chunk: Chunk, vector: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "id": _digest(f"{document.id} {document.content} {chunk.index}"),
        "document_id": document.id,
        "content": document.content,
        "chunk_index": chunk.index,
        "page": chunk.page or 0,
        "source": _storable(document.source),
        "title": _storable(document.title),
        "context": _storable(chunk.context),
        "text": _storable(chunk.text),
        "vector": vector,
    }


def _storable(text: str) -> str:
    """What fits into a VARCHAR: valid UTF-8 without NUL, cut to its bytes."""
    return text.replace("\0", "").encode("utf-8", "replace")[:_BYTES_MAX].decode("utf-8", "ignore")


def _hit(row: dict[str, Any]) -> Hit:
    payload = dict(row["entity"])
    return Hit(**{**payload, "page": payload["page"] or None}, score=float(row["distance"]))


def _text(error: Exception) -> str:
    return str(getattr(error, "message", "") or error)
