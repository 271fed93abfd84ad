"""Results of questions that are asked again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cachetools import TTLCache

from retriton_pipeline.retrieval.options import SearchOptions, Turn
from retriton_pipeline.retrieval.passage import Retrieved
from retriton_pipeline.store import Store

_BYTES_MAX = 64 * 2**20
_PASSAGE_BYTES = 2000  # besides its text


@dataclass(frozen=True)
class _Result:
    writes: int  # to the collection, before the search began
    found: Retrieved


class ResultCache:
    """Results of the same question, with the same options and conversation.

    A result is used until this process writes to the collection, and for a limited time, after which the writes of
    other processes are seen too. A Milvus Lite file belongs to one process, so its results are never outdated.

    Args:
        store: the opened collection.
        seconds: for which a result is used.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._results: TTLCache[Any, _Result] = TTLCache(_BYTES_MAX, seconds, getsizeof=_size)

    async def get(
        self,
        question: str,
        options: SearchOptions,
        history: Sequence[Turn],
        search: Callable[[], Awaitable[Retrieved]],
    ) -> Retrieved:
        """The result of an earlier search, or that of ``search``. Raises what ``search`` raises."""
        start, writes = time.perf_counter(), self._store.writes
        key = question, tuple(getattr(options, name) for name in SearchOptions.model_fields), tuple(history)
        known = self._results.get(key)
        if known and known.writes == writes:
            return replace(known.found, latency_ms={"total": (time.perf_counter() - start) * 1e3})
        result = _Result(writes, await search())
        if _size(result) <= _BYTES_MAX:
            self._results[key] = result
        return result.found


def _size(result: _Result) -> int:
    """Bytes of memory, approximately."""
    return sum(_PASSAGE_BYTES + 2 * len(passage.text + passage.best_chunk) for passage in result.found.passages)
