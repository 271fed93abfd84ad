"""Work in threads that its caller can give up."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from retriton_pipeline.generation.llm import LLM

T = TypeVar("T")


@dataclass
class _Call:
    """What is done for one caller: the event loop he waits on, and what a thread waits for there."""

    loop: asyncio.AbstractEventLoop
    waiting: list[Future[Any]] = field(default_factory=list)
    given_up: bool = False


_call: contextvars.ContextVar[_Call] = contextvars.ContextVar("call")


class Threads:
    """A bounded number of threads.

    Args:
        number: of them; what is more waits for its turn.
    """

    def __init__(self, number: int) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="retrieval")

    async def run(self, work: Callable[[], T]) -> T:
        """``work`` in a thread. If the caller leaves, it is not begun, or ends where it waits for an LLM."""
        call = _Call(asyncio.get_running_loop())
        context = contextvars.copy_context()
        context.run(_call.set, call)
        try:
            return await call.loop.run_in_executor(self._pool, lambda: context.run(work))
        except asyncio.CancelledError:
            call.given_up = True
            for future in call.waiting:
                future.cancel()
            raise

    def close(self) -> None:
        """Begins nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class ThreadsLLM(LLM):
    """An LLM for work in `Threads`."""

    def complete(self, prompt: str) -> str:
        """As `LLM.complete`; raises `CancelledError` when the caller has left."""
        call = _call.get()
        answer = asyncio.run_coroutine_threadsafe(self._whole(prompt), call.loop)
        call.waiting.append(answer)
        if call.given_up:
            answer.cancel()
        return answer.result()

    async def _whole(self, prompt: str) -> str:
        return "".join([piece.text async for piece in self.pieces([{"role": "user", "content": prompt}])])
