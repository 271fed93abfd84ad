"""Runs coroutines for blocking callers, on one event loop that all blocking objects of a process share."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from retriton_client._exceptions import DeadlineExceeded, InvalidRequest
from retriton_client._fork import check_fork

T = TypeVar("T")
MARGIN_S = 1.0  # work ends itself at its timeout; only a loop that does not run makes the caller wait for this, too


class _Background:
    """An event loop and the thread that runs it, both started on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs: after an exception that ended its thread, in another thread.

        There is only one, because gRPC clients in several loops interfere.
        """
        check_fork()
        if threading.current_thread() is self._thread:
            raise InvalidRequest("a callback on the background thread cannot use a blocking client: use another thread")
        with self._lock:
            self._loop = self._loop or asyncio.new_event_loop()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop.run_forever, name="retriton", daemon=True)
                self._thread.start()
            return self._loop


_background = _Background()
_inherited: list[_Background] = []  # references: closing a parent's loop would take its sockets from it


def run(work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
    """Runs ``work`` on the shared event loop and returns its result; an exception in the caller cancels it.

    Args:
        work: ends itself within ``timeout_s``.
        timeout_s: the caller waits for this and `MARGIN_S` seconds, whatever happens to the loop; None without limit.

    Raises:
        DeadlineExceeded: the loop is blocked, or its thread ended during the call.
        ForkedProcess: a client was used before this process was forked.
        InvalidRequest: the caller runs on the shared loop, for which it would wait.
    """
    try:
        loop = _background.loop()
    except BaseException:
        work.close()
        raise
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result(None if timeout_s is None else timeout_s + MARGIN_S)
    except TimeoutError:
        if not future.cancel():  # the error of the work, or its result at the last moment
            return future.result()
        raise DeadlineExceeded(
            f"no result within {timeout_s:g} s: the background thread of the blocking clients is blocked, or ended"
        ) from None
    except BaseException:
        future.cancel()  # Ctrl-C in the caller must also stop the request
        raise


def _in_child() -> None:
    """In the child of a fork the thread does not exist, and the lock may be held by one that does not either."""
    global _background
    _inherited.append(_background)
    _background = _Background()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_in_child)
