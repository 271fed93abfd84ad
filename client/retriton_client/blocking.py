"""Runs coroutines for blocking callers, on one event loop that all blocking objects of a process share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` on the shared event loop and returns its result; an exception in the caller cancels it."""
    future = asyncio.run_coroutine_threadsafe(work, _shared_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()  # Ctrl-C in the caller must also stop the request
        raise


def _shared_loop() -> asyncio.AbstractEventLoop:
    """Starts the event loop on first use. There is only one, because gRPC clients in several loops interfere."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="retriton", daemon=True).start()
        return _loop
