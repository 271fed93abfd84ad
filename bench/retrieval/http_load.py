"""HTTP load from one event loop, at a cost of less than 0.1 ms a request."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np


@dataclass
class Answers:
    """What the callers saw.

    Attributes:
        seconds: of the run.
        ok_s, refused_s: latencies in seconds of answers with status 200, and with 429 or 503.
        failed: number of all others.
    """

    seconds: float = 0.0
    ok_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def per_s(self) -> float:
        """Answers with status 200 a second."""
        return len(self.ok_s) / self.seconds

    def ms(self, percent: float) -> float:
        """A percentile of the latency in milliseconds; NaN without answers."""
        return percentile_ms(self.ok_s, percent)


def percentile_ms(seconds: Sequence[float], percent: float) -> float:
    """A percentile in milliseconds; NaN without values."""
    return float(np.percentile(seconds, percent)) * 1e3 if seconds else float("nan")


class HttpLoad:
    """Sends JSON bodies to one route with POST, in turns.

    Args:
        url: of the server, ``http://host:port``.
        path: of the route.
        bodies: JSON documents.
    """

    def __init__(self, url: str, path: str, bodies: Sequence[bytes]) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
        self._requests = itertools.cycle([b"%s%d\r\n\r\n%s" % (head.encode(), len(body), body) for body in bodies])
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def closed(self, connections: int, seconds: float) -> Answers:
        """Every connection sends its next request when the last one is answered."""
        return asyncio.run(self._closed(connections, seconds))

    def open(self, requests_per_s: float, seconds: float) -> Answers:
        """Requests at random times (Poisson), however long their answers take."""
        return asyncio.run(self._open(requests_per_s, seconds))

    async def _closed(self, connections: int, seconds: float) -> Answers:
        found = Answers(seconds)
        end = time.monotonic() + seconds

        async def caller() -> None:
            while time.monotonic() < end:
                await self._send(found)

        await asyncio.gather(*(caller() for _ in range(connections)))
        self._close()
        return found

    async def _open(self, requests_per_s: float, seconds: float) -> Answers:
        found = Answers(seconds)
        gaps = np.random.default_rng(1).exponential(1 / requests_per_s, int(requests_per_s * seconds))
        start, sending = time.monotonic(), set()
        for due in np.cumsum(gaps):
            await asyncio.sleep(start + float(due) - time.monotonic())
            sending.add(asyncio.create_task(self._send(found, start + float(due))))
        await asyncio.gather(*sending)
        found.seconds = time.monotonic() - start  # the last answers may take long
        self._close()
        return found

    async def _send(self, found: Answers, due: float | None = None) -> None:
        start = due or time.monotonic()
        try:
            connection = self._idle.pop() if self._idle else await asyncio.open_connection(*self._address)
            status = await _exchange(connection, next(self._requests))
        except OSError:
            found.failed += 1
            return
        self._idle.append(connection)
        spent = time.monotonic() - start
        if status == 200:
            found.ok_s.append(spent)
        elif status in (429, 503):
            found.refused_s.append(spent)
        else:
            found.failed += 1

    def _close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


async def _exchange(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> int:
    """Sends a request; returns the status of its answer, which is read and dropped."""
    reader, writer = connection
    writer.write(request)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("closed before the answer") from error
    length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head.split(None, 2)[1])
