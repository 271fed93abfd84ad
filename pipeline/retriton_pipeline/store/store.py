"""The vector store: one Milvus collection of chunks, created for one encoder."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from functools import partial

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.store.collection import (
    LAYOUT,
    check_is_no_version,
    create_collection,
    describe,
    index_name,
    load_fully,
    own_versions,
)
from retriton_pipeline.store.indexes import PROFILES
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import check_name
from retriton_pipeline.store.versions import drop_version, following
from retriton_pipeline.store.writable_version import WritableVersion
from retriton_pipeline.store.writes import counted

LITE_CHUNKS_MAX = 50_000  # docs/benchmarks.md: up to here, a dense search took less than 50 ms on a busy machine

log = logging.getLogger("retriton.store")


class Store(WritableVersion):
    """A collection of chunks.

    Args:
        uri: file name for Milvus Lite, or ``http://host:port`` for a Milvus server.
        collection: name of the collection, which refers to a version; `rebuild` and `publish` replace the version.
        token: ``user:password`` or an API key of the server.
        consistency: Milvus' consistency level of searches. Bounded does not wait, and may miss the latest writes. Reads
            during ingestion always use Strong.
        create: whether to create a missing file.

    Raises:
        InvalidOption: the name of the collection is invalid or reserved (see `check_name`).
        StoreError: Milvus cannot be reached, or the file is in use or damaged.
        NoSuchCollection: the file does not exist, and ``create`` is false.
    """

    def __init__(
        self, uri: str, collection: str, token: str = "", consistency: str = "Bounded", create: bool = True
    ) -> None:
        check_name(collection)  # before a file is created
        super().__init__(Milvus(uri, token, create), collection, consistency)
        self._token = token

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
        """Whether the collection's name refers to the opened version. Raises `StoreError`.

        On a server, another process may have dropped that version and created one of the same name.
        """
        if self.versions.resolve(self.collection) != self._target:
            return False
        return self.milvus.is_file or describe(self.milvus, self._target) == self._description

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


def _open_version(uri: str, collection: str, token: str, version: str, encoder: EncoderInfo) -> Store:
    store = Store(uri, collection, token, create=False)
    store._use(version, encoder)
    return store
