"""The vector store: one Milvus collection of chunks, created for one encoder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymilvus import CollectionSchema

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import (
    CollectionFrozen,
    InvalidFilter,
    NoBm25Index,
    NoSuchCollection,
    StoreError,
    StoreInterrupted,
)
from retriton_pipeline.store.collection import (
    LAYOUT,
    check_case,
    check_is_no_version,
    create_collection,
    describe,
    index_name,
    load,
    load_fully,
    own_versions,
)
from retriton_pipeline.store.filters import canonical
from retriton_pipeline.store.id_set import IdSet
from retriton_pipeline.store.indexes import PROFILES
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import FROZEN, check_name, is_valid
from retriton_pipeline.store.rows import (
    PAYLOAD,
    Hit,
    StoredChunk,
    StoredDocument,
    bm25_text,
    to_chunk,
    to_row,
)
from retriton_pipeline.store.settings import delete_settings, read_settings, write_settings
from retriton_pipeline.store.upserts import upsert
from retriton_pipeline.store.versions import drop_version, following, versions
from retriton_pipeline.store.writes import counted, writes
from retriton_pipeline.vectors import cosine_spread, unit

LITE_CHUNKS_MAX = 50_000  # docs/benchmarks.md: up to here, a dense search took less than 50 ms on a busy machine
_ROWS_PER_PAGE = 1000
_FOLDER = re.compile("[A-Za-z0-9:-]+")  # no wildcards of patterns
_SPREAD_CHUNKS = 256
_FILTER_ERROR = re.compile("parse expression|query plan|invalid expression|[Ee]xpr|regular expression")

log = logging.getLogger("retriton.store")


class Store:
    """A collection of chunks.

    Args:
        uri: file name for Milvus Lite, or ``http://host:port`` for a Milvus server.
        collection: name of the collection, which refers to a version; `rebuild` and `publish` replace the version.
        token: ``user:password`` or an API key of the server.
        consistency: Milvus' consistency level of searches. Bounded does not wait, and may miss the latest writes. Reads
            during ingestion always use Strong.
        create: whether to create a missing file.

    Attributes:
        uri, collection: as given.
        milvus: connection to Milvus.
        versions: maps the collection's name to its current version.
        index: index profile of the opened collection.
        has_bm25: whether the opened collection has a BM25 index.
        fingerprint: fingerprint of the encoder of the opened collection.
        spread: how far the cosines of the encoder differ in the opened collection (see `cosine_spread`); None until
            the first search, and while there are too few chunks to tell.
        search_settings: what was stored with `keep_search_settings`; None if nothing was.

    Raises:
        InvalidOption: the name of the collection is invalid or reserved (see `check_name`).
        StoreError: Milvus cannot be reached, or the file is in use or damaged.
        NoSuchCollection: the file does not exist, and ``create`` is false.
    """

    def __init__(
        self, uri: str, collection: str, token: str = "", consistency: str = "Bounded", create: bool = True
    ) -> None:
        self.uri = uri
        self.collection = check_name(collection)
        self.has_bm25 = False
        self.fingerprint = ""
        self.milvus = Milvus(uri, token, create)
        self.versions = versions(self.milvus)
        self._token = token
        self._target = collection
        self._consistency = consistency
        self.index = PROFILES["auto"]
        self._normalize = False
        self._analysis = ANALYSIS
        self.spread: float | None = None
        self.search_settings: dict[str, Any] | None = None

    def close(self) -> None:
        """Closes the connection and releases the file."""
        self.milvus.close()

    def open(self, encoder: EncoderInfo, create: bool = False, index: str = "") -> None:
        """Opens the collection after checking that it matches the served encoder. Call it before other methods.

        Args:
            encoder: served encoder.
            create: whether to create a missing collection.
            index: index profile of a new collection (see `PROFILES`); by default flat in a file, hnsw on a server.

        Raises:
            NoSuchCollection: the collection does not exist, and ``create`` is false.
            EncoderMismatch: the collection was created for another encoder.
            InvalidOption: the name is that of a version of another collection.
            StoreError: the name differs from another one only in case, the collection has another layout, or Milvus
                failed.
        """
        target = self._first_version(encoder, index) if create and not self._exists() else self.current()[0]
        self._use(target, encoder)

    def current(self) -> tuple[str, str]:
        """The version that searches use, and the fingerprint of its encoder. The collection need not be open.

        Raises:
            NoSuchCollection: the collection does not exist.
            InvalidOption: the name is that of a version of another collection.
            StoreError: Milvus failed.
        """
        target = self.versions.resolve(self.collection)
        if target is None:
            names = ", ".join(sorted(self.milvus.call("list_collections"))) or "none"
            raise NoSuchCollection(
                f"{self.uri} has no collection {self.collection!r} (it has: {names}). Run `retriton ingest` first."
            )
        check_is_no_version(self.milvus, self.collection, target)
        return target, describe(self.milvus, target).fingerprint

    def at(self, version: str, encoder: EncoderInfo) -> Store:
        """Another store on the same connection, opened at a version, whatever the collection's name refers to later.

        Raises:
            EncoderMismatch: the version was created for another encoder.
            StoreError: as `open`.
        """
        opened = copy(self)
        opened._use(version, encoder)
        return opened

    @property
    def is_current(self) -> bool:
        """Whether the collection's name refers to the opened version. Raises `StoreError`."""
        return self.versions.resolve(self.collection) == self._target

    def rebuild(self, encoder: EncoderInfo, index: str = "") -> None:
        """Opens a new version of the collection for writing; searches use the current version until `publish`.

        An unpublished version of an interrupted run is continued if its encoder, layout and index are the same.

        Args:
            encoder: served encoder.
            index: index profile of the new version; see `open`.
        """
        current = self.versions.resolve(self.collection)
        if current is None:
            self.open(encoder, create=True, index=index)
            return
        target = following(self.collection, current)
        wanted = PROFILES.get(index_name(self.milvus, index))
        while self.milvus.has(target):
            found = describe(self.milvus, target)
            if found.version_of != self.collection:  # belongs to another name
                target = following(self.collection, target)
            elif (found.fingerprint, found.layout, found.analysis, found.index, found.imported) == (
                encoder.fingerprint,
                LAYOUT,
                ANALYSIS,
                wanted,
                False,
            ):
                break
            else:
                drop_version(self.milvus, self.versions, self.collection, target)
        if not self.milvus.has(target):
            create_collection(self.milvus, target, encoder, index, self.collection)
        self._use(target, encoder)

    def stage(self, encoder: EncoderInfo, index: str = "") -> None:
        """Opens a new, empty version for a bulk import; nothing uses it until `publish`, even if there is none yet.

        It is not loaded: see `load`. Versions of imports that did not reach `publish` are dropped.

        Args:
            encoder: served encoder.
            index: index profile of the new version; see `open`.
        """
        current = self.versions.resolve(self.collection)
        for left in self._own_versions():
            if left != current and describe(self.milvus, left).imported:
                self.milvus.call("drop_collection", left)
        target = following(self.collection, current) if current else self.versions.first(self.collection)
        while self.milvus.has(target):  # belongs to another name, or to an interrupted rebuild
            target = following(self.collection, target)
        create_collection(self.milvus, target, encoder, index, self.collection, imported=True)
        self._use(target, encoder, loaded=False)

    def load(self) -> None:
        """Loads the opened version, which may take longer than one call.

        Raises:
            StoreError: Milvus failed, or loads nothing more.
        """
        load_fully(self.milvus, self._target)

    def abandon(self) -> None:
        """Drops the opened version, which `stage` created, unless it is published."""
        if self.versions.resolve(self.collection) != self._target:
            self.milvus.call("drop_collection", self._target)

    @property
    def target(self) -> str:
        """The collection that is the opened version."""
        return self._target

    def schema(self) -> CollectionSchema:
        """Returns the schema of the opened version."""
        return CollectionSchema.construct_from_dict(self.milvus.call("describe_collection", self._target))

    def opener(self, encoder: EncoderInfo) -> partial[Store]:
        """A picklable function with which other processes open the same version of the collection as this store."""
        small = replace(encoder, tokenizer="")  # opening does not need it
        return partial(_open_version, self.uri, self.collection, self._token, self._target, small)

    def lent(self) -> AbstractContextManager[None]:
        """Releases a Milvus Lite file inside the ``with`` block, so that another process can open it."""
        return self.milvus.lent()

    def publish(self) -> None:
        """Switches the collection's name to the version that `rebuild` created, and drops earlier versions."""
        current = self.versions.resolve(self.collection)
        if current != self._target:
            with counted(self.uri, self.collection):
                self.versions.switch(self.collection, self._target)
        # The previous version, even without a version mark, and leftovers of a run that was interrupted here.
        for left in {current or self._target, *self._own_versions()} - {self._target}:
            if self.milvus.has(left):
                drop_version(self.milvus, self.versions, self.collection, left)

    def _exists(self) -> bool:
        return self.versions.resolve(self.collection) is not None

    def _first_version(self, encoder: EncoderInfo, index: str) -> str:
        """Returns a version left by an interrupted `publish`, or creates the first one."""
        left = [name for name in self._own_versions() if not describe(self.milvus, name).imported]
        target = left[-1] if left else self.versions.first(self.collection)
        if not left:
            while self.milvus.has(target):  # belongs to another name
                target = following(self.collection, target)
            create_collection(self.milvus, target, encoder, index, self.collection)
        if target != self.collection:
            self.versions.switch(self.collection, target)
        return target

    def _own_versions(self) -> list[str]:
        """Returns the versions of the collection's name, oldest first."""
        return own_versions(self.milvus, self.collection)

    def drop(self) -> None:
        """Drops all versions of the collection, for whatever encoder, and its name. It need not be open, or exist."""
        with counted(self.uri, self.collection):
            current = self.versions.resolve(self.collection)
            self.versions.forget(self.collection)
            for version in {*self._own_versions(), *([current] if current else [])}:
                drop_version(self.milvus, self.versions, self.collection, version)

    def remove(self) -> None:
        """Drops the opened version, and the name that refers to it."""
        with counted(self.uri, self.collection):
            self.versions.forget(self.collection)
            drop_version(self.milvus, self.versions, self.collection, self._target)

    @property
    def writes(self) -> int:
        """The number of writes of this process to the collection."""
        return writes(self.uri, self.collection)

    def count(self) -> int:
        """Returns the number of stored chunks."""
        return int(self._query("", ["count(*)"])[0]["count(*)"])

    def count_documents(self) -> int:
        """Returns the number of completely stored documents; one whose replacement was interrupted counts twice."""
        return int(self._query("chunk_index == 0", ["count(*)"])[0]["count(*)"])

    def warn_if_slow(self) -> None:
        """Logs a warning if a collection in Milvus Lite has more chunks than it searches within 50 ms."""
        if self.milvus.is_file and (chunks := self.count()) > LITE_CHUNKS_MAX:
            log.warning(
                "%s has %d chunks in collection %r. Milvus Lite reads all vectors for a search: above %d chunks, that "
                "can take more than 50 ms. Use a Milvus server: `retriton ingest PATH... --milvus http://HOST:19530`",
                self.uri,
                chunks,
                self.collection,
                LITE_CHUNKS_MAX,
            )

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """Returns the hashes of completely stored contents by document id; there are two after an interrupted run."""
        found: dict[str, set[str]] = {}
        # The first chunk is written last, so if it exists, so do the others.
        condition = f"document_id in {json.dumps(list(document_ids))} and chunk_index == 0"
        for row in self._query(condition, ["document_id", "content_hash"]):
            found.setdefault(row["document_id"], set()).add(row["content_hash"])
        return found

    def documents(self) -> Iterator[StoredDocument]:
        """Yields each document with stored chunks once, including documents of interrupted runs.

        Metadata is omitted. Ids that exceed 64 MiB are kept in a temporary file.
        """
        pages = self.milvus.pages(
            self._target,
            batch_size=_ROWS_PER_PAGE,
            filter="chunk_index >= 0",
            output_fields=["document_id", "source", "title", "content_hash", "file"],
            consistency_level="Strong",
        )
        with closing(IdSet()) as seen:
            for row in (row for rows in pages for row in rows):
                if seen.add(row["document_id"].encode()):
                    yield StoredDocument(
                        row["document_id"], row["source"], row["title"], row["content_hash"], row["file"]
                    )

    def upsert(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> None:
        """Writes chunks with their vectors, float32 ``[rows, dimension]``. Idempotent.

        Raises:
            StoreError: Milvus failed, or Milvus Lite did not store all chunks, for example because the disk is full.
            CollectionFrozen: the collection is being switched to another version, which may lack these chunks.
        """
        self.upsert_rows(self.rows(rows, vectors))

    def rows(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> list[dict[str, Any]]:
        """Converts chunks with their vectors, float32 ``[rows, dimension]``, to rows of the collection."""
        return [
            to_row(*row, vector, self.has_bm25, self._analysis)
            for row, vector in zip(rows, self._unit(vectors), strict=True)
        ]

    def upsert_rows(self, data: Sequence[dict[str, Any]]) -> None:
        """Writes rows of `rows`. Idempotent. Raises as `upsert`."""
        with counted(self.uri, self.collection):
            upsert(self.milvus, self._target, data)
        self._check_not_frozen()

    def delete_contents(self, contents: Sequence[tuple[str, str]]) -> None:
        """Deletes contents, each a document id and a content hash."""
        ids, hashes = ({pair[at] for pair in contents} for at in (0, 1))  # a hash is a digest of the id, too
        self._delete(f"document_id in {json.dumps(sorted(ids))} and content_hash in {json.dumps(sorted(hashes))}")

    def delete_other_contents(self, documents: Sequence[StoredDocument]) -> None:
        """Deletes all other contents of these documents: those of earlier versions and of interrupted runs."""
        hashes = json.dumps([document.content_hash for document in documents])
        self._delete(f"{_ids_filter(documents)} and content_hash not in {hashes}")

    def delete(self, documents: Sequence[StoredDocument]) -> None:
        """Deletes documents with all their contents."""
        self._delete(_ids_filter(documents))

    def delete_folder(self, folder: str) -> None:
        """Deletes all documents of the files in a folder of uploads.

        Args:
            folder: its location (see `StoredDocument`), of ASCII letters, digits, and ``:`` and ``-``.
        """
        self._delete(_below(folder))

    def folder_chunks(self, folder: str) -> Iterator[StoredChunk]:
        """Yields the chunks of the documents of a folder of uploads (see `delete_folder`), in the store's order."""
        pages = self.milvus.pages(
            self._target,
            batch_size=_ROWS_PER_PAGE,
            filter=_below(folder),
            output_fields=list(PAYLOAD),
            consistency_level="Strong",
        )
        return (to_chunk(row) for rows in pages for row in rows)

    def _delete(self, condition: str) -> None:
        with counted(self.uri, self.collection):
            self.milvus.call("delete", self._target, filter=condition)
        self._check_not_frozen()

    def _check_not_frozen(self) -> None:
        """Call it after a write: one that ended before the version was frozen is part of the version that follows."""
        if self.versions.resolve(FROZEN + self._target) is not None:
            raise CollectionFrozen(
                f"collection {self.collection!r} is being switched to another version, or was while this was written: "
                "do it again. If it still fails, run `retriton switch` again, which was interrupted"
            )

    def search(
        self, vectors: NDArray[np.float32], top_k: int, filter_: str = "", with_chunks: bool = False
    ) -> list[list[Hit]]:
        """Returns the nearest chunks of each vector, best first, with their cosines as scores.

        Args:
            vectors: float32 ``[queries, dimension]``.
            top_k: maximum number of chunks per vector.
            filter_: filter expression over ``source``, ``title``, ``page``, ``metadata["name"]`` and other fields (see
                `retriton_pipeline.store.filters`).
            with_chunks: whether to return the chunks as well, which costs less than a later call of `chunks`.

        Raises:
            InvalidFilter: ``filter_`` is malformed, or Milvus rejects it.
            StoreError: Milvus failed.
        """
        if self.spread is None:
            self.spread = self._measured_spread()
        params = self.index.search_params(top_k)
        return self._search("vector", self._unit(vectors), top_k, filter_, params, with_chunks)

    def search_bm25(
        self, texts: Sequence[str], top_k: int, filter_: str = "", with_chunks: bool = False
    ) -> list[list[Hit]]:
        """Returns the best chunks of each text by BM25, best first. Chunks that share no word with it are omitted.

        See `search` for arguments.

        Raises:
            NoBm25Index: the collection has no BM25 index.
            InvalidFilter: ``filter_`` is malformed, or Milvus rejects it.
            StoreError: Milvus failed.
        """
        if not self.has_bm25:
            raise NoBm25Index(
                f"collection {self.collection!r} has no BM25 index: it was created on a Milvus before 2.5, or by an "
                "earlier Retriton. Search with mode dense, or rebuild it on Milvus 2.5: `retriton ingest --rebuild`."
            )
        queries = [bm25_text(text, self._analysis) for text in texts]
        try:
            return self._search("bm25", queries, top_k, filter_, {"metric_type": "BM25"}, with_chunks)
        except StoreInterrupted:
            raise
        except StoreError:
            if self.count():
                raise
            return [[] for _ in texts]  # Milvus Lite fails on empty collections

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Returns chunks by primary key; those that do not exist are omitted."""
        rows = self._by_id(ids, ["id", *PAYLOAD])
        return {row["id"]: to_chunk(row) for row in rows}

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Returns the stored vectors of chunks by primary key, float32 ``[ids, dimension]``, of unit length."""
        found = {row["id"]: row["vector"] for row in self._by_id(ids, ["id", "vector"])}
        return np.array([found[key] for key in ids], np.float32)

    def keep_search_settings(self, values: dict[str, Any] | None) -> None:
        """Stores the settings of searches for this collection and its encoder; None removes them.

        Raises:
            StoreError: Milvus failed.
        """
        with counted(self.uri, self.collection):
            if values is None:
                delete_settings(self.milvus, self.collection)
            else:
                write_settings(self.milvus, self.collection, self.fingerprint, values)
        self.search_settings = values

    def _measured_spread(self) -> float | None:
        rows = self.milvus.call(
            "query",
            self._target,
            filter="",
            limit=_SPREAD_CHUNKS,  # any: primary keys are digests, and so are those that come first a random sample
            output_fields=["vector"],
            consistency_level=self._consistency,
        )
        return cosine_spread(np.array([row["vector"] for row in rows], np.float32))

    def _by_id(self, ids: Sequence[str], fields: list[str]) -> list[dict[str, Any]]:
        return self._query(f"id in {json.dumps(list(ids))}", fields, self._consistency) if ids else []

    def _search(
        self, field: str, data: Any, top_k: int, filter_: str, params: dict[str, Any], with_chunks: bool
    ) -> list[list[Hit]]:
        try:
            found = self.milvus.call(
                "search",
                self._target,
                data=data,
                anns_field=field,
                limit=top_k,
                filter=canonical(filter_, self.milvus.is_file),
                search_params=params,
                output_fields=list(PAYLOAD) if with_chunks else [],
                consistency_level=self._consistency,
            )
        except StoreError as error:
            if filter_ and _FILTER_ERROR.search(str(error)):
                reason = str(error).removeprefix(f"{self.uri}: ")
                raise InvalidFilter(f"the filter {filter_!r} is invalid: {reason}") from error
            raise
        if with_chunks:
            return [[Hit(row["id"], float(row["distance"]), to_chunk(row["entity"])) for row in rows] for rows in found]
        return [[Hit(row["id"], float(row["distance"])) for row in rows] for rows in found]

    def _query(self, condition: str, fields: list[str], consistency: str = "Strong") -> list[dict[str, Any]]:
        """Queries rows. Strong consistency waits up to 0.2 s; writes that depend on the result require it."""
        found = self.milvus.call(
            "query", self._target, filter=condition, output_fields=fields, consistency_level=consistency
        )
        return list(found)

    def _use(self, target: str, encoder: EncoderInfo, loaded: bool = True) -> None:
        check_case(self.milvus, target)
        found = describe(self.milvus, target)
        found.check(self.collection, encoder)
        if loaded:
            load(self.milvus, target)
        else:  # segments of an import are searched sooner if they are loaded at its end
            self.milvus.call("release_collection", target)
        self._target = target
        self.index = found.index
        self.has_bm25 = found.has_bm25
        self.fingerprint = encoder.fingerprint
        self._normalize = not encoder.normalized
        self._analysis = found.analysis
        self.spread = None
        self.search_settings = read_settings(self.milvus, self.collection, encoder.fingerprint)

    def _unit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scales vectors to unit length if the encoder does not."""
        return unit(vectors) if self._normalize else vectors


def _below(folder: str) -> str:
    if not _FOLDER.fullmatch(folder):
        raise ValueError(f"{folder!r} is no folder of uploads")
    return f'file like "{folder}/%"'


def _open_version(uri: str, collection: str, token: str, version: str, encoder: EncoderInfo) -> Store:
    store = Store(uri, collection, token, create=False)
    store._use(version, encoder)
    return store


def _ids_filter(documents: Sequence[StoredDocument]) -> str:
    return f"document_id in {json.dumps([document.id for document in documents])}"


def collection_names(uri: str, token: str = "") -> list[str]:
    """Returns the sorted names of collections, without those of other programs.

    Raises:
        StoreError: Milvus cannot be reached.
    """
    if "://" not in uri and not Path(uri).exists():
        return []
    milvus = Milvus(uri, token, create=False)
    try:
        found = (describe(milvus, target).version_of for target in milvus.call("list_collections"))
        return sorted({name for name in found if name and is_valid(name)})
    finally:
        milvus.close()


def drop_collection(uri: str, name: str, token: str = "") -> None:
    """Drops a collection with all its versions, if it exists.

    Raises:
        StoreError: Milvus cannot be reached, or failed.
    """
    if "://" not in uri and not Path(uri).exists():
        return
    store = Store(uri, name, token, create=False)
    try:
        store.drop()
    finally:
        store.close()
