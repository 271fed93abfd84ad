"""The store of an ingestion on Ray: a Milvus server is shared by all workers, a Milvus Lite file has one owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.ingest.ingestion import ChunkStore
from retriton_pipeline.store import Store, StoredDocument

_CALLS = 2  # concurrent calls of the owner: a lookup does not wait for an upsert


class _Owner:
    """An actor that owns a Milvus Lite file, and calls its store for the workers."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._store: Store | None = None

    def call(self, method: str, *args: Any) -> Any:
        """Calls a method of the store. The file is opened at the first call."""
        if self._store is None:
            self._store = self._open()
        return getattr(self._store, method)(*args)

    def close(self) -> None:
        """Releases the file."""
        if self._store is not None:
            self._store.close()
            self._store = None


class _OwnedStore:
    """The store of another process, which `_Owner` calls. Raises as `Store`."""

    def __init__(self, owner: Any, fingerprint: str) -> None:
        self._owner = owner
        self.fingerprint = fingerprint

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """As `Store.content_hashes`."""
        found: dict[str, set[str]] = self._call("content_hashes", document_ids)
        return found

    def upsert(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> None:
        """As `Store.upsert`."""
        self._call("upsert", rows, vectors)

    def delete_other_contents(self, documents: Sequence[StoredDocument]) -> None:
        """As `Store.delete_other_contents`."""
        self._call("delete_other_contents", documents)

    def _call(self, method: str, *args: Any) -> Any:
        try:
            return ray.get(self._owner.call.remote(method, *args))
        except RayTaskError as error:
            raise error.cause from error  # not the class that Ray derives from both


@contextmanager
def opener_for_workers(store: Store | None, encoder: EncoderInfo) -> Iterator[Callable[[], ChunkStore] | None]:
    """A picklable function with which workers open the collection; None without a store.

    A Milvus Lite file is lent to an actor on this machine, which is restarted if it is lost.
    """
    if store is None or not store.milvus.is_file:
        yield store.opener(encoder) if store else None
        return
    with store.lent():
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        owner = (
            ray.remote(_Owner)
            .options(num_cpus=0, max_restarts=-1, max_task_retries=-1, max_concurrency=_CALLS, scheduling_strategy=here)
            .remote(store.opener(encoder))
        )
        try:
            yield partial(_OwnedStore, owner, encoder.fingerprint)
        finally:
            ray.get(owner.close.remote())
            ray.kill(owner)
