"""Reads from one version of a collection, opened for one encoder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymilvus import CollectionSchema

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.chunking import with_context
from retriton_pipeline.errors import InvalidFilter, NoBm25Index, StoreError, StoreInterrupted
from retriton_pipeline.store.collection import check_case, describe, load
from retriton_pipeline.store.filters import canonical
from retriton_pipeline.store.folders import below
from retriton_pipeline.store.id_set import IdSet
from retriton_pipeline.store.indexes import PROFILES
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.rows import PAYLOAD, Hit, StoredChunk, StoredDocument, bm25_text, to_chunk
from retriton_pipeline.store.settings import CALIBRATED, LEARNED, read_settings
from retriton_pipeline.store.writes import writes
from retriton_pipeline.vectors import cosine_spread, unit

_ROWS_PER_PAGE = 1000
_SPREAD_CHUNKS = 256
_FILTER_ERROR = re.compile("parse expression|query plan|invalid expression|[Ee]xpr|regular expression")


class OpenedVersion:
    """The version of a collection that is opened: its chunks, and searches of them.

    Args:
        milvus: connection to Milvus.
        collection: name of the collection.
        consistency: Milvus' consistency level of searches.

    Attributes:
        uri, collection, milvus: as given.
        index: index profile of the opened version.
        has_bm25: whether the opened version has a BM25 index.
        fingerprint: fingerprint of the encoder of the opened version.
        spread: how far the cosines of the encoder differ in the opened version (see `cosine_spread`); None until
            the first search, and while there are too few chunks to tell.
        search_settings: what was stored with `keep_search_settings`; None if nothing was.
        calibration: what was stored with `keep_calibration`; None if nothing was.
    """

    def __init__(self, milvus: Milvus, collection: str, consistency: str) -> None:
        self.uri = milvus.uri
        self.collection = collection
        self.milvus = milvus
        self.index = PROFILES["auto"]
        self.has_bm25 = False
        self.fingerprint = ""
        self.spread: float | None = None
        self.search_settings: dict[str, Any] | None = None
        self.calibration: dict[str, Any] | None = None
        self._target = collection
        self._consistency = consistency
        self._normalize = False
        self._analysis = ANALYSIS

    @property
    def target(self) -> str:
        """The collection that is the opened version."""
        return self._target

    def schema(self) -> CollectionSchema:
        """Returns the schema of the opened version."""
        return CollectionSchema.construct_from_dict(self.milvus.call("describe_collection", self._target))

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

    def folder_chunks(self, folder: str) -> Iterator[StoredChunk]:
        """Yields the chunks of the documents of a folder of uploads (see `delete_folder`), in the store's order."""
        pages = self.milvus.pages(
            self._target,
            batch_size=_ROWS_PER_PAGE,
            filter=below(folder),
            output_fields=list(PAYLOAD),
            consistency_level="Strong",
        )
        return (to_chunk(row) for rows in pages for row in rows)

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
        return self._search("vector", self.unit(vectors), top_k, filter_, params, with_chunks)

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

    def sample(self, count: int) -> tuple[list[str], NDArray[np.float32]]:
        """The embedded texts of at most ``count`` chunks, and their vectors, float32 ``[chunks, dimension]``."""
        rows = self._sample(count, ["text", "context", "vector"])
        texts = [with_context(row["context"], row["text"]) for row in rows]
        return texts, np.array([row["vector"] for row in rows], np.float32)

    def read_settings(self) -> None:
        """Reads the settings of searches again, which another process may have stored. Raises `StoreError`."""
        found = read_settings(self.milvus, self.collection, self.fingerprint)
        self.search_settings, self.calibration = found.get(LEARNED), found.get(CALIBRATED)

    def _sample(self, count: int, fields: list[str]) -> list[dict[str, Any]]:
        """Some rows: primary keys are digests, and so those that come first are a random sample."""
        found = self.milvus.call(
            "query",
            self._target,
            filter="",
            limit=count,
            output_fields=fields,
            consistency_level=self._consistency,
        )
        return list(found)

    def _measured_spread(self) -> float | None:
        rows = self._sample(_SPREAD_CHUNKS, ["vector"])
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
        self._description = found
        self.index = found.index
        self.has_bm25 = found.has_bm25
        self.fingerprint = encoder.fingerprint
        self._normalize = not encoder.normalized
        self._analysis = found.analysis
        self.spread = None
        self.read_settings()

    def unit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scales vectors, float32 ``[rows, dimension]``, to unit length if the encoder does not."""
        return unit(vectors) if self._normalize else vectors
