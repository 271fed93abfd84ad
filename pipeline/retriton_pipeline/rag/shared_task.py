"""A result that several callers wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedTask(Generic[T]):
    """Computes a value once. A caller that is cancelled does not cancel the task, so that what it opens is not lost.

    A failure is raised in all callers that wait, and the next caller starts the task again.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    async def get(self, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The value; ``start`` makes the coroutine that computes it, if none runs or has succeeded."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(start())
            self._task.add_done_callback(self._forget_failure)
        return await asyncio.shield(self._task)

    def reset(self) -> None:
        """The next `get` computes the value again."""
        self._task = None

    async def take(self) -> T | None:
        """Waits for a running task; its value, or None if there is none or it failed. Resets."""
        task, self._task = self._task, None
        if task is None:
            return None
        await asyncio.wait((task,))
        return None if task.cancelled() or task.exception() else task.result()

    def _forget_failure(self, task: asyncio.Task[T]) -> None:
        if (task.cancelled() or task.exception()) and self._task is task:
            self._task = None
