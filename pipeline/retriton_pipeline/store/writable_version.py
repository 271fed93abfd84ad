"""Writes to one version of a collection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import CollectionFrozen
from retriton_pipeline.store.folders import below
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import FROZEN
from retriton_pipeline.store.opened_version import OpenedVersion
from retriton_pipeline.store.rows import StoredDocument, to_row
from retriton_pipeline.store.settings import CALIBRATED, LEARNED, write_settings
from retriton_pipeline.store.upserts import upsert
from retriton_pipeline.store.versions import versions
from retriton_pipeline.store.writes import counted


class WritableVersion(OpenedVersion):
    """An opened version whose chunks change, unless it is frozen because the collection is being switched.

    Attributes:
        versions: maps the collection's name to its current version.
    """

    def __init__(self, milvus: Milvus, collection: str, consistency: str) -> None:
        super().__init__(milvus, collection, consistency)
        self.versions = versions(milvus)

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
            for row, vector in zip(rows, self.unit(vectors), strict=True)
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
        self._delete(below(folder))

    def keep_search_settings(self, values: dict[str, Any] | None) -> None:
        """Stores the settings of searches for this collection and its encoder; None removes them.

        Raises:
            StoreError: Milvus failed.
        """
        self._keep_settings(LEARNED, values)
        self.search_settings = values

    def keep_calibration(self, values: dict[str, Any]) -> None:
        """Stores what was measured for searches of this collection with its encoder. Raises `StoreError`."""
        self._keep_settings(CALIBRATED, values)
        self.calibration = values

    def _keep_settings(self, origin: str, values: dict[str, Any] | None) -> None:
        with counted(self.uri, self.collection):
            write_settings(self.milvus, self.collection, self.fingerprint, origin, values)

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


def _ids_filter(documents: Sequence[StoredDocument]) -> str:
    return f"document_id in {json.dumps([document.id for document in documents])}"
