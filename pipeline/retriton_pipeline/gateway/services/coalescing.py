"""Small requests that come together go to Triton together: a call costs more than a query."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field

from retriton_client import AsyncClient, Embeddings, InvalidRequest, RetritonError, Role, Truncate

_CALLS = 2  # under way of one kind; what comes meanwhile gathers...
_TEXTS_MAX = 64  # ...up to this, which goes in any case: how much may wait is for the lane to say
_TEXTS_SMALL = 16  # a request of more gains nothing...
_CHARACTERS_SMALL = 16_384  # ...and one of longer texts would hold up the others


@dataclass(frozen=True)
class Kind:
    """What requests must share to go together."""

    role: Role
    truncate: Truncate
    dimensions: int | None


@dataclass
class _Entry:
    texts: list[str]
    answer: asyncio.Future[Embeddings]


@dataclass
class _Line:
    waiting: deque[_Entry] = field(default_factory=deque)
    texts: int = 0
    calls: int = 0

    def take(self) -> list[_Entry]:
        """The next call's."""
        entries: list[_Entry] = []
        room = _TEXTS_MAX
        while self.waiting and len(self.waiting[0].texts) <= room:
            entry = self.waiting.popleft()
            self.texts -= len(entry.texts)
            if not entry.answer.done():  # its caller has not left
                entries.append(entry)
                room -= len(entry.texts)
        return entries


class Gathering:
    """Embeds for many callers, in the order in which they came.

    A text that is refused is its own caller's trouble: the others of its call are sent again without it. A caller
    that leaves before its call is sent costs nothing.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._lines: dict[Kind, _Line] = defaultdict(_Line)
        self._tasks: set[asyncio.Task[None]] = set()

    async def embed(self, texts: list[str], kind: Kind) -> Embeddings:
        """As `AsyncClient.embed`."""
        if len(texts) > _TEXTS_SMALL or sum(map(len, texts)) > _CHARACTERS_SMALL:
            return await self._alone(texts, kind)
        loop, line = asyncio.get_running_loop(), self._lines[kind]
        entry = _Entry(texts, loop.create_future())
        line.waiting.append(entry)
        line.texts += len(texts)
        if line.texts >= _TEXTS_MAX:
            self._send(kind, line)
        elif line.calls < _CALLS and len(line.waiting) == 1:
            loop.call_soon(self._send, kind, line)  # after all that arrived in this turn of the loop
        return await entry.answer

    async def _alone(self, texts: list[str], kind: Kind) -> Embeddings:
        return await self._client.embed(texts, kind.role, truncate=kind.truncate, dimensions=kind.dimensions)

    def _send(self, kind: Kind, line: _Line) -> None:
        entries = line.take()
        if not entries:
            if not line.calls:
                self._lines.pop(kind, None)
            return
        line.calls += 1
        call = asyncio.ensure_future(self._call(entries, kind, line))
        self._tasks.add(call)
        call.add_done_callback(self._tasks.discard)
        waiting = len(entries)

        def leave(answer: asyncio.Future[Embeddings]) -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                call.cancel()  # nobody waits for it any more; one that has ended does not mind

        for entry in entries:
            entry.answer.add_done_callback(leave)

    async def _call(self, entries: list[_Entry], kind: Kind, line: _Line) -> None:
        try:
            await self._answer(entries, kind)
        finally:
            line.calls -= 1
            self._send(kind, line)

    async def _answer(self, entries: list[_Entry], kind: Kind) -> None:
        try:
            found = await self._alone([text for entry in entries for text in entry.texts], kind)
        except InvalidRequest as error:
            if len(entries) == 1:
                _fail(entries, error)
            else:
                await asyncio.gather(*(self._answer([entry], kind) for entry in entries))
        except Exception as error:
            _fail(entries, error)
            if not isinstance(error, RetritonError):
                raise
        else:
            first = 0
            for entry in entries:
                end = first + len(entry.texts)
                if not entry.answer.done():
                    part = slice(first, end)
                    entry.answer.set_result(
                        Embeddings(found.vectors[part], found.tokens[part], found.tokens_dropped[part])
                    )
                first = end


def _fail(entries: list[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.answer.done():
            entry.answer.set_exception(error)
