"""Responses of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_SILENCE_S_MAX = 15.0
_COMMENT = b": keep-alive\n\n"


def event_stream(events: AsyncGenerator[bytes, None]) -> StreamingResponse:
    """The response with ``events``, which caches and proxies neither keep nor hold back."""
    return StreamingResponse(kept_alive(events), media_type="text/event-stream", headers=_HEADERS)


async def kept_alive(
    events: AsyncGenerator[bytes, None], silence_s_max: float = _SILENCE_S_MAX
) -> AsyncGenerator[bytes, None]:
    """The events, and a comment after each ``silence_s_max`` seconds without one.

    Proxies close a connection that is silent for a minute, and some LLMs need longer for their first token.
    """
    async with aclosing(events):
        while True:
            following = asyncio.ensure_future(anext(events))
            try:
                while not (await asyncio.wait((following,), timeout=silence_s_max))[0]:
                    yield _COMMENT
                event = following.result()
            except StopAsyncIteration:
                return
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
            yield event
