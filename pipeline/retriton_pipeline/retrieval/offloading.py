"""Work on many chunks leaves the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from retriton_pipeline.store import StoredChunk

T = TypeVar("T")
C = TypeVar("C", bound=StoredChunk)
_CHUNKS_INLINE_MAX = 200  # whose passages are computed in the event loop, within milliseconds
CHARACTERS_INLINE_MAX = 400_000  # of these chunks


async def computed(work: Callable[..., T], chunks: Sequence[C], *args: Any) -> T:
    """The result of ``work``; in a thread if there are so many chunks that it would hold up other requests."""
    if len(chunks) <= _CHUNKS_INLINE_MAX and sum(len(chunk.text) for chunk in chunks) <= CHARACTERS_INLINE_MAX:
        return work(chunks, *args)
    return await asyncio.to_thread(work, chunks, *args)
