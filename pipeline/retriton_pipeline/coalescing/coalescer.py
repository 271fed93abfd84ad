"""Requests that arrive while a call is under way share the next call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


@dataclass
class _Request(Generic[T, R]):
    items: Sequence[T]
    result: asyncio.Future[R]


@dataclass
class _Queue(Generic[T, R]):
    """The requests of one key."""

    waiting: deque[_Request[T, R]] = field(default_factory=deque)
    items: int = 0
    calls: int = 0

    def take(self, items_max: int) -> list[_Request[T, R]]:
        """Removes the requests of the next call; cancelled ones are dropped."""
        taken: list[_Request[T, R]] = []
        left = items_max
        while self.waiting and (len(self.waiting[0].items) <= left or not taken):
            request = self.waiting.popleft()
            self.items -= len(request.items)
            if not request.result.done():
                taken.append(request)
                left -= len(request.items)
        return taken


class Coalescer(Generic[K, T, R]):
    """Sends the items of concurrent requests together, in the order of their arrival.

    A request that finds no call of its key under way is sent at once. Requests of different keys never share a call.
    A call is cancelled when all its requests are.

    Args:
        call: sends items of one key; its result has a part for each item, in their order.
        part: the part of a result that belongs to a slice of the items.
        items_max: items of a call; if so many wait, they are sent without waiting for the calls under way. A request
            with more items is sent alone.
        calls_max: concurrent calls of one key, full calls not counted.
        retried_alone: errors that may be the fault of one request: the requests of the call are sent again one by one,
            so that only this request fails.
    """

    def __init__(
        self,
        call: Callable[[K, list[T]], Awaitable[R]],
        part: Callable[[R, slice], R],
        items_max: int,
        calls_max: int,
        retried_alone: tuple[type[Exception], ...] = (),
    ) -> None:
        self._call = call
        self._part = part
        self._items_max = items_max
        self._calls_max = calls_max
        self._retried_alone = retried_alone
        self._queues: dict[K, _Queue[T, R]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def submit(self, key: K, items: Sequence[T]) -> R:
        """The part of the shared call's result that belongs to ``items``. Raises what the call raises."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(key, _Queue())
        request: _Request[T, R] = _Request(items, loop.create_future())
        queue.waiting.append(request)
        queue.items += len(items)
        if queue.items >= self._items_max:
            self._send(key, queue)
        elif queue.calls < self._calls_max and len(queue.waiting) == 1:
            loop.call_soon(self._send, key, queue)  # after all requests that arrived in this iteration of the loop
        return await request.result

    def _send(self, key: K, queue: _Queue[T, R]) -> None:
        requests = queue.take(self._items_max)
        if not requests:
            if not queue.calls and self._queues.get(key) is queue:
                del self._queues[key]
            return
        queue.calls += 1
        task = asyncio.ensure_future(self._run(requests, key, queue))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        _cancel_without_requests(task, requests)

    async def _run(self, requests: list[_Request[T, R]], key: K, queue: _Queue[T, R]) -> None:
        try:
            await self._resolve(requests, key)
        finally:
            queue.calls -= 1
            self._send(key, queue)

    async def _resolve(self, requests: list[_Request[T, R]], key: K) -> None:
        try:
            found = await self._call(key, [item for request in requests for item in request.items])
        except self._retried_alone as error:
            if len(requests) == 1:
                _fail(requests, error)
            else:
                await asyncio.gather(*(self._resolve([request], key) for request in requests))
        except Exception as error:  # noqa: BLE001 - raised in every request that waits for it
            _fail(requests, error)
        else:
            self._succeed(requests, found)

    def _succeed(self, requests: list[_Request[T, R]], found: R) -> None:
        first = 0
        for request in requests:
            own = slice(first, first + len(request.items))
            first = own.stop
            if not request.result.done():
                request.result.set_result(self._part(found, own))


def _cancel_without_requests(call: asyncio.Task[None], requests: Sequence[_Request[T, R]]) -> None:
    open_requests = len(requests)

    def finish(result: asyncio.Future[R]) -> None:
        nonlocal open_requests
        open_requests -= 1
        if not open_requests:
            call.cancel()  # no effect on a call that has finished

    for request in requests:
        request.result.add_done_callback(finish)


def _fail(requests: Sequence[_Request[T, R]], error: Exception) -> None:
    for request in requests:
        if not request.result.done():
            request.result.set_exception(error)
