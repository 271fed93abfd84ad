"""Server-sent events while the LLM is silent, and when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from retriton_pipeline.gateway.http.event_stream import event_stream, kept_alive

COMMENT = b": keep-alive\n\n"


class Source:
    """Events after pauses; notes when it is closed."""

    def __init__(self, *pauses_s: float, fails: bool = False) -> None:
        self._pauses_s = pauses_s
        self._fails = fails
        self.is_closed = False

    async def events(self) -> AsyncGenerator[bytes, None]:
        try:
            for number, pause_s in enumerate(self._pauses_s):
                await asyncio.sleep(pause_s)
                yield b"data: %d\n\n" % number
            if self._fails:
                raise RuntimeError("broken")
        finally:
            self.is_closed = True


async def test_silence_is_filled_with_comments() -> None:
    source = Source(0, 0.35, 0)
    found = [event async for event in kept_alive(source.events(), 0.1)]
    assert [event for event in found if event != COMMENT] == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    assert found[1] == COMMENT
    assert 2 <= found.count(COMMENT) <= 4
    assert source.is_closed


async def test_without_silence_nothing_is_added() -> None:
    assert COMMENT not in [event async for event in kept_alive(Source(0, 0.01, 0.01).events(), 5)]


async def test_errors_are_passed_on() -> None:
    source = Source(0, fails=True)
    with pytest.raises(RuntimeError, match="broken"):
        _ = [event async for event in kept_alive(source.events(), 5)]
    assert source.is_closed


async def test_the_source_is_closed_when_the_client_leaves() -> None:
    during_silence, between = Source(60), Source(0, 60)
    first = kept_alive(during_silence.events(), 0.01)
    assert await anext(first) == COMMENT
    await first.aclose()
    second = kept_alive(between.events(), 60)
    assert await anext(second) == b"data: 0\n\n"
    task = asyncio.ensure_future(anext(second))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (during_silence.is_closed, between.is_closed) == (True, True)


async def test_events_are_neither_cached_nor_held_back() -> None:
    response = event_stream(Source().events())
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert (response.headers["Cache-Control"], response.headers["X-Accel-Buffering"]) == ("no-cache", "no")
