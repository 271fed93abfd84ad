"""Vectors of texts that were computed before.

Triton's own response cache does not serve here: it knows the inputs of a request and not its parameters (how to
truncate), it would answer the probe in place of a dead encoder, and it stores nothing of answers that come after
`execute` has returned. This one knows texts by the tokens that are computed, whatever request they came with.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class VectorCache:
    """The vectors used last, in at most ``bytes_max``. Thread-safe.

    Attributes:
        lookups, hits: counts since the start.
    """

    def __init__(self, bytes_max: int) -> None:
        self.lookups = self.hits = 0
        self._lock = threading.Lock()
        self._entries: LRUCache[bytes, Vector] = LRUCache(bytes_max, getsizeof=_size)

    def totals(self) -> dict[str, Callable[[], float]]:
        """What metrics ask for, by the name of the counter."""
        return {"cache_lookups_total": lambda: self.lookups, "cache_hits_total": lambda: self.hits}

    def find(self, ids: Sequence[int]) -> Vector | None:
        """The vector of a text, if it is there."""
        with self._lock:
            vector = self._entries.get(_key(ids))
            self.lookups += 1
            self.hits += vector is not None
            return vector

    def keep(self, ids: Sequence[int], vector: Vector) -> None:
        """Puts in the vector of a text; the least recently used leave."""
        with self._lock:
            self._entries[_key(ids)] = vector


def _size(vector: Vector) -> int:
    return vector.nbytes + 256  # and the key, and Python around both


def _key(ids: Sequence[int]) -> bytes:
    return np.array(ids, np.int32).tobytes()
