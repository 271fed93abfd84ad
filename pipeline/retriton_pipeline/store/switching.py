"""The versions of a collection while it is switched to another encoder, and back.

A switch copies the chunks of the current version, with new vectors, into a version of its own. Then the current version
is frozen, what was written meanwhile is copied, and the collection's name is made to refer to the new version. The
former version is kept, frozen, so that the name can refer to it again.

A version is frozen by a pointer. A write looks for the pointer after it has ended (see `Store.upsert`): either the
write ended before the version was frozen, and the last copying sees it, or it is refused, and has to be done again. So
no write is lost, and there is no lock that a killed process would keep.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.errors import StoreError
from retriton_pipeline.store.collection import LAYOUT, Description, create_collection, describe, load, own_versions
from retriton_pipeline.store.indexes import PROFILES
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import FORMER, FROZEN
from retriton_pipeline.store.rows import COPIED, with_vector
from retriton_pipeline.store.store import Store
from retriton_pipeline.store.upserts import upsert
from retriton_pipeline.store.versions import drop_version, for_encoder, is_for_encoder
from retriton_pipeline.store.writes import counted
from retriton_pipeline.vectors import unit

_IDS_PER_PAGE = 1000
Row = dict[str, Any]


class VersionChunks:
    """The chunks of one version of a collection, whatever encoder made their vectors.

    Args:
        milvus: connection to Milvus.
        version: its name.
        consistency: Milvus' consistency level of reads; ``Strong`` sees all writes that have ended.

    Raises:
        StoreError: it does not exist, or Milvus failed.
    """

    def __init__(self, milvus: Milvus, version: str, consistency: str = "Strong") -> None:
        self.version = version
        self.description: Description = describe(milvus, version)
        self._milvus = milvus
        self._consistency = consistency
        load(milvus, version)

    def count(self) -> int:
        """Returns the number of chunks. Raises `StoreError`."""
        return int(self._query("", ["count(*)"])[0]["count(*)"])

    def ids(self) -> Iterator[list[Row]]:
        """Yields the primary keys and the documents of the chunks in pages. Raises `StoreError`."""
        return self._milvus.pages(
            self.version,
            batch_size=_IDS_PER_PAGE,
            filter="chunk_index >= 0",
            output_fields=["id", "document_id"],
            consistency_level=self._consistency,
        )

    def absent(self, rows: Sequence[Row]) -> list[Row]:
        """Returns those of ``rows`` whose primary keys no chunk has. Raises `StoreError`."""
        known = {row["id"] for row in self._query(_with_ids(rows), ["id"])}
        return [row for row in rows if row["id"] not in known]

    def fetch(self, rows: Sequence[Row]) -> list[Row]:
        """Returns chunks by the primary keys of ``rows``, with the fields `COPIED`. Raises `StoreError`."""
        return self._query(_with_ids(rows), list(COPIED))

    def write(self, rows: Sequence[Row], vectors: NDArray[np.float32], normalized: bool) -> None:
        """Writes copied chunks with new vectors, float32 ``[rows, dimension]``. Idempotent.

        Args:
            rows: from `fetch` of another version.
            vectors: their vectors.
            normalized: whether these have length one.

        Raises:
            StoreError: Milvus failed, or the disk is full.
        """
        scaled = vectors if normalized else unit(vectors)
        has_bm25 = self.description.has_bm25
        data = [with_vector(row, vector, has_bm25) for row, vector in zip(rows, scaled, strict=True)]
        upsert(self._milvus, self.version, data)

    def delete(self, rows: Sequence[Row]) -> None:
        """Deletes chunks. Raises `StoreError`."""
        self._milvus.call("delete", self.version, filter=_with_ids(rows))

    def wait_until_indexed(self, seconds_max: float) -> None:
        """Waits until a server has built the index of its sealed chunks, for ``seconds_max``. Raises `StoreError`."""
        give_up_s = time.monotonic() + seconds_max
        while self._pending() and time.monotonic() < give_up_s:
            time.sleep(1.0)

    def wait_until_visible(self, seconds_max: float) -> None:
        """Waits until searches, which do not wait for the latest writes, see all of them. Raises `StoreError`."""
        give_up_s = time.monotonic() + seconds_max
        as_searched = VersionChunks(self._milvus, self.version, "Bounded")
        while as_searched.count() != self.count() and time.monotonic() < give_up_s:
            time.sleep(0.2)

    def _pending(self) -> int:
        if self._milvus.is_file:
            return 0
        (index,) = self._milvus.call("list_indexes", self.version, "vector")
        return int(self._milvus.call("describe_index", self.version, index).get("pending_index_rows", 0))

    def _query(self, condition: str, fields: list[str]) -> list[Row]:
        found = self._milvus.call(
            "query", self.version, filter=condition, output_fields=fields, consistency_level=self._consistency
        )
        return list(found)


class VersionSwitch:
    """The steps of a switch; each may be the last one before the process is killed, and all can be repeated.

    Args:
        store: a store of the collection, which need not be open.
    """

    def __init__(self, store: Store) -> None:
        self._uri = store.uri
        self._milvus = store.milvus
        self._versions = store.versions
        self._name = store.collection
        self._store = store

    def current(self) -> VersionChunks:
        """The version that searches use. Raises as `Store.current`."""
        return self.chunks(self._store.current()[0])

    def former(self) -> VersionChunks | None:
        """The version that was current before the last switch or rollback, if it is kept. Raises `StoreError`."""
        version = self._versions.resolve(FORMER + self._name)
        return self.chunks(version) if version not in (None, self._store.current()[0]) else None

    def unfinished(self) -> list[str]:
        """The versions of switches that were interrupted, by their names. Raises `StoreError`."""
        former = self._versions.resolve(FORMER + self._name)
        kept = {self._store.current()[0], former}
        mine = own_versions(self._milvus, self._name)
        return [version for version in mine if version not in kept and is_for_encoder(self._name, version)]

    def chunks(self, version: str) -> VersionChunks:
        """The chunks of a version. Raises `StoreError`."""
        return VersionChunks(self._milvus, version)

    def begin(self, encoder: EncoderInfo, index: str = "") -> VersionChunks:
        """The version for ``encoder``, to copy chunks into: a new one, or one that was begun or was the former one.

        Args:
            encoder: that of the new vectors.
            index: index profile; empty for that of the current version.

        Raises:
            StoreError: Milvus failed, or the index profile does not exist.
        """
        current = self._store.current()[0]
        found = describe(self._milvus, current)
        if found.layout != LAYOUT:
            raise StoreError(
                f"collection {self._name!r} has layout {found.layout}, this version of Retriton copies {LAYOUT}: make "
                "it again from its documents with `retriton ingest --rebuild`"
            )
        self.thaw(current)  # frozen by a switch that was interrupted
        name = index or next(name for name, profile in PROFILES.items() if profile == found.index)
        wanted = (encoder.fingerprint, LAYOUT, ANALYSIS, PROFILES.get(name))
        versions = own_versions(self._milvus, self._name)
        for version in versions:
            made = describe(self._milvus, version)
            if version != current and (made.fingerprint, made.layout, made.analysis, made.index) == wanted:
                self.thaw(version)
                return self.chunks(version)
        version = for_encoder(self._name, {*versions, current}, encoder.fingerprint)
        create_collection(self._milvus, version, encoder, name, self._name)
        return self.chunks(version)

    def freeze(self, version: str) -> None:
        """Writes to a version that end from now on are refused. Raises `StoreError`."""
        self._versions.switch(FROZEN + version, version)

    def thaw(self, version: str) -> None:
        """Writes to a version are accepted again. Raises `StoreError`."""
        self._versions.forget(FROZEN + version)

    def publish(self, version: str, former: str) -> None:
        """Makes the collection's name refer to a version, keeps the former one, and drops all others.

        Raises:
            StoreError: the former version takes writes, because another switch runs; or Milvus failed.
        """
        if self._versions.resolve(FROZEN + former) is None or self._versions.resolve(self._name) != former:
            raise StoreError(
                f"collection {self._name!r} was switched by another process at the same time: see its result, and run "
                "the same command again if it has failed"
            )
        self._versions.switch(FORMER + self._name, former)  # first: after the next step there is a way back
        self._refer_to(version)
        self._drop_except(version, former)

    def roll_back(self, current: str, former: str) -> None:
        """Makes the collection's name refer to its former version again; the current one is then the former one.

        Raises:
            StoreError: Milvus failed.
        """
        self.freeze(current)
        self.thaw(former)
        self._refer_to(former)
        self._versions.switch(FORMER + self._name, current)

    def discard(self, versions: Sequence[str]) -> None:
        """Drops versions of switches that were interrupted; the current version takes writes. Raises `StoreError`."""
        self.thaw(self._store.current()[0])
        for version in versions:
            drop_version(self._milvus, self._versions, self._name, version)

    def finish(self) -> list[str]:
        """Drops all versions but the current one, so that there is no way back; returns their names.

        Raises:
            StoreError: Milvus failed.
        """
        return self._drop_except(self._store.current()[0])

    def _refer_to(self, version: str) -> None:
        with counted(self._uri, self._name):
            self._versions.switch(self._name, version)

    def _drop_except(self, *kept: str) -> list[str]:
        others = [version for version in own_versions(self._milvus, self._name) if version not in kept]
        for version in others:
            drop_version(self._milvus, self._versions, self._name, version)
        return others


def _with_ids(rows: Sequence[Row]) -> str:
    return f"id in {json.dumps([row['id'] for row in rows])}"
