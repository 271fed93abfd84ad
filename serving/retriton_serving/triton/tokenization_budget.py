"""How much text is tokenized at a time, so that hostile or long texts do not hold up the lane.

Tokenizing a megabyte takes 0.2 to 4 seconds, depending on the text.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from retriton_serving.contract.errors import BadText, Overloaded, ShuttingDown

REQUEST_BYTES_MAX = 2 * 1024 * 1024
ROUND_BYTES_MAX = 256 * 1024  # while a round is tokenized, all other requests wait, and probes
SHORT_TEXT_BYTES_MAX = 8 * 1024
WAITING_BYTES_MAX = 4 * 1024 * 1024
_NICE = 10  # the thread for long texts takes a core that is idle, and little of one that computes


class Sized(Protocol):
    """A request: the bytes of its texts, and of the longest one."""

    size_bytes: int
    longest_bytes: int


T = TypeVar("T", bound=Sized)


@dataclass
class Round:
    """The bytes of text that one call of `execute` tokenizes itself."""

    bytes: int = 0

    def admits(self, request: Sized) -> bool:
        """Whether the texts of ``request`` are short, and fit; if so, they are added.

        Raises:
            BadText: the request exceeds what any request may have.
        """
        size = request.size_bytes
        if size > REQUEST_BYTES_MAX:
            raise BadText(
                "TEXT_TOO_LARGE",
                f"the texts of the request have {size} bytes, at most {REQUEST_BYTES_MAX} are taken. Send fewer.",
                bytes=size,
                bytes_max=REQUEST_BYTES_MAX,
            )
        if request.longest_bytes > SHORT_TEXT_BYTES_MAX or self.bytes + size > ROUND_BYTES_MAX:
            return False
        self.bytes += size
        return True


class LongTexts(Generic[T]):
    """Tokenizes requests with long texts, one after the other, in a thread beside the lane's, of lower priority.

    Args:
        tokenize: tokenizes a request and submits it.
        waiting_bytes_max: so much text may wait.
    """

    def __init__(self, tokenize: Callable[[T], None], waiting_bytes_max: int = WAITING_BYTES_MAX) -> None:
        self._waiting_bytes_max = waiting_bytes_max
        self._tokenize = tokenize
        self._requests: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, request: T) -> None:
        """Queues a request. Raises `Overloaded` if too many bytes wait, and `ShuttingDown` after `close`."""
        with self._changed:
            if self._closed:
                raise ShuttingDown("the server is stopping. Try another replica.")
            if self._bytes and self._bytes + request.size_bytes > self._waiting_bytes_max:
                raise Overloaded(self._bytes, self._waiting_bytes_max, "bytes of long texts are queued")
            self._bytes += request.size_bytes
        self._requests.put(request)

    def close(self) -> None:
        """Accepts no more requests, and returns when those that wait are tokenized."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._bytes)

    def _work(self) -> None:
        os.nice(_NICE)  # on Linux, of this thread only
        while True:
            request = self._requests.get()
            self._tokenize(request)
            with self._changed:
                self._bytes -= request.size_bytes
                self._changed.notify_all()
