"""Counts the writes of this process to each collection, so that results from before a write can be told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_counts: Counter[tuple[str, str]] = Counter()


def writes(uri: str, collection: str) -> int:
    """The number of writes that have ended, failed ones included."""
    return _counts[uri, collection]


@contextmanager
def counted(uri: str, collection: str) -> Iterator[None]:
    """Counts one write at its end: whoever reads the number before a search knows what the search may have missed."""
    try:
        yield
    finally:
        with _lock:
            _counts[uri, collection] += 1
