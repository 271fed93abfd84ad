"""A cache of vectors by token ids.

Triton's response cache does not fit: it ignores the parameters of a request (how to truncate), answers the probe in
place of a dead encoder, and it does not store responses that are sent after `execute` has returned.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class VectorCache:
    """The least recently used vectors are evicted beyond ``bytes_max``. Thread-safe.

    Attributes:
        lookups, hits: counts since the start.
    """

    def __init__(self, bytes_max: int) -> None:
        self.lookups = self.hits = 0
        self._lock = threading.Lock()
        self._entries: LRUCache[bytes, Vector] = LRUCache(bytes_max, getsizeof=_size)

    def totals(self) -> dict[str, Callable[[], float]]:
        """The counters, by the names of their metrics."""
        return {"cache_lookups_total": lambda: self.lookups, "cache_hits_total": lambda: self.hits}

    def find(self, ids: Sequence[int] | NDArray[np.int64]) -> Vector | None:
        """The vector of a text, if it is cached."""
        with self._lock:
            vector = self._entries.get(_key(ids))
            self.lookups += 1
            self.hits += vector is not None
            return vector

    def keep(self, ids: Sequence[int] | NDArray[np.int64], vector: Vector) -> None:
        """Stores the vector of a text, if it fits at all."""
        if _size(vector) <= self._entries.maxsize:
            with self._lock:
                self._entries[_key(ids)] = vector


def _size(vector: Vector) -> int:
    return vector.nbytes + 256  # and about 256 bytes for the key and the objects


def _key(ids: Sequence[int] | NDArray[np.int64]) -> bytes:
    return np.asarray(ids, np.int32).tobytes()
