"""Coalescing of small embedding requests: those that arrive together share one call to Triton."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from retriton_client import Embeddings, InvalidRequest, RetritonError, Role, Truncate

_CALLS_MAX = 2  # concurrent calls of one key, unless a call is full
_TEXTS_MAX = 64  # of a call; a full call is sent at once, and the lane limits how many wait there
_SMALL_TEXTS_MAX = 16  # larger requests gain nothing
_SMALL_CHARACTERS_MAX = 16_384  # longer texts would delay the others in their call


class Embedder(Protocol):
    """What sends the calls; an `AsyncClient`."""

    async def embed(
        self, texts: Sequence[str], role: Role, *, truncate: Truncate = "NONE", dimensions: int | None = None
    ) -> Embeddings:
        """See `AsyncClient.embed`."""


@dataclass(frozen=True)
class CoalescingKey:
    """What requests have in common that may share a call."""

    role: Role
    truncate: Truncate
    dimensions: int | None


@dataclass
class _Request:
    texts: list[str]
    result: asyncio.Future[Embeddings]


@dataclass
class _Queue:
    """The requests of one key."""

    waiting: deque[_Request] = field(default_factory=deque)
    texts: int = 0
    calls: int = 0

    def take(self) -> list[_Request]:
        """Removes the requests of the next call; cancelled ones are dropped."""
        taken: list[_Request] = []
        texts_left = _TEXTS_MAX
        while self.waiting and len(self.waiting[0].texts) <= texts_left:
            request = self.waiting.popleft()
            self.texts -= len(request.texts)
            if not request.result.done():
                taken.append(request)
                texts_left -= len(request.texts)
        return taken


class CoalescingEmbedder:
    """Embeds texts of concurrent requests, in the order of their arrival.

    If a call is rejected because of one text, its requests are sent again one by one, so that only the request with
    that text fails. A call is cancelled when all its requests are.
    """

    def __init__(self, client: Embedder) -> None:
        self._client = client
        self._queues: dict[CoalescingKey, _Queue] = defaultdict(_Queue)
        self._calls: set[asyncio.Task[None]] = set()

    async def embed(self, texts: list[str], key: CoalescingKey) -> Embeddings:
        """The vectors of ``texts``. Raises as `AsyncClient.embed`."""
        if len(texts) > _SMALL_TEXTS_MAX or sum(map(len, texts)) > _SMALL_CHARACTERS_MAX:
            return await self._embed(texts, key)
        loop, queue = asyncio.get_running_loop(), self._queues[key]
        request = _Request(texts, loop.create_future())
        queue.waiting.append(request)
        queue.texts += len(texts)
        if queue.texts >= _TEXTS_MAX:
            self._send(key, queue)
        elif queue.calls < _CALLS_MAX and len(queue.waiting) == 1:
            loop.call_soon(self._send, key, queue)  # after all requests that arrived in this iteration of the loop
        return await request.result

    async def _embed(self, texts: list[str], key: CoalescingKey) -> Embeddings:
        return await self._client.embed(texts, key.role, truncate=key.truncate, dimensions=key.dimensions)

    def _send(self, key: CoalescingKey, queue: _Queue) -> None:
        requests = queue.take()
        if not requests:
            if not queue.calls:
                self._queues.pop(key, None)
            return
        queue.calls += 1
        call = asyncio.ensure_future(self._call(requests, key, queue))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        _cancel_without_requests(call, requests)

    async def _call(self, requests: list[_Request], key: CoalescingKey, queue: _Queue) -> None:
        try:
            await self._resolve(requests, key)
        finally:
            queue.calls -= 1
            self._send(key, queue)

    async def _resolve(self, requests: list[_Request], key: CoalescingKey) -> None:
        try:
            found = await self._embed([text for request in requests for text in request.texts], key)
        except InvalidRequest as error:
            if len(requests) == 1:
                _fail(requests, error)
            else:
                await asyncio.gather(*(self._resolve([request], key) for request in requests))
        except Exception as error:
            _fail(requests, error)
            if not isinstance(error, RetritonError):
                raise
        else:
            _succeed(requests, found)


def _cancel_without_requests(call: asyncio.Task[None], requests: list[_Request]) -> None:
    open_requests = len(requests)

    def finish(result: asyncio.Future[Embeddings]) -> None:
        nonlocal open_requests
        open_requests -= 1
        if not open_requests:
            call.cancel()  # no effect on a call that has finished

    for request in requests:
        request.result.add_done_callback(finish)


def _succeed(requests: list[_Request], found: Embeddings) -> None:
    first = 0
    for request in requests:
        own = slice(first, first + len(request.texts))
        first = own.stop
        if not request.result.done():
            request.result.set_result(Embeddings(found.vectors[own], found.tokens[own], found.tokens_dropped[own]))


def _fail(requests: list[_Request], error: Exception) -> None:
    for request in requests:
        if not request.result.done():
            request.result.set_exception(error)
