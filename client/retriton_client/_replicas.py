"""The servers of a client: which of them gets a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterator, Sequence

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from retriton_client._config import Tls
from retriton_client._wire import connect

_PAUSE_S_FIRST = 0.25
_PAUSE_S_MAX = 8.0
_PROBE_S = 2.0

logger = logging.getLogger("retriton.client")


class Replica:
    """One server.

    Attributes:
        url: its address.
        in_flight: requests that it has not answered.
        is_out: whether it failed, and gets no requests until a probe succeeds.
    """

    def __init__(self, url: str, tls: Tls | None) -> None:
        self.url = url
        self.in_flight = 0
        self.is_out = False
        self.failures = 0
        self._tls = tls
        self._grpc: InferenceServerClient | None = None

    @property
    def grpc(self) -> InferenceServerClient:
        """The connection, which opens on first use."""
        if self._grpc is None:
            self._grpc = connect(self.url, self._tls)
        return self._grpc

    async def close(self) -> None:
        """Closes the connection."""
        grpc, self._grpc = self._grpc, None
        if grpc is not None:
            await grpc.close()

    async def is_ready(self) -> bool:
        """Whether it says that its models are ready."""
        try:
            return bool(await self.grpc.is_server_ready(client_timeout=_PROBE_S))
        except InferenceServerException:
            return False


class Replicas:
    """Sends each request to the server with the fewest in flight, and none to a server that has failed.

    A server that failed is probed, after pauses that double to 8 s, and gets requests again when it is ready. A single
    server always gets them. Belongs to one event loop.

    Args:
        urls: their addresses.
        tls: TLS settings.
    """

    def __init__(self, urls: Sequence[str], tls: Tls | None) -> None:
        self._replicas = [Replica(url, tls) for url in urls]
        self._next = 0
        self._probes: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def pick(self, tried: Collection[Replica]) -> Iterator[Replica]:
        """The server for a request that ``tried`` have refused; it counts as in flight until the end of the block."""
        replica = self._best(tried)
        replica.in_flight += 1
        try:
            yield replica
        finally:
            replica.in_flight -= 1

    def _best(self, tried: Collection[Replica]) -> Replica:
        turn = self._replicas[self._next :] + self._replicas[: self._next]
        self._next = (self._next + 1) % len(self._replicas)
        return min(turn, key=lambda replica: (replica in tried, replica.is_out, replica.in_flight))

    def has_others(self, tried: Collection[Replica]) -> bool:
        """Whether a server that has not failed is not among ``tried``."""
        return any(not replica.is_out and replica not in tried for replica in self._replicas)

    def answered(self, replica: Replica) -> None:
        """It answered a request."""
        replica.failures = 0

    def failed(self, replica: Replica, reason: object) -> None:
        """It did not answer a request, or said that it cannot: it gets no others until a probe succeeds."""
        if len(self._replicas) == 1 or replica.is_out:
            return
        replica.is_out = True
        replica.failures += 1
        logger.warning("%s gets no requests until it is ready: %s", replica.url, reason)
        probe = asyncio.get_running_loop().create_task(self._readmit(replica))
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)

    async def _readmit(self, replica: Replica) -> None:
        pause_s = _PAUSE_S_FIRST * 2.0 ** min(replica.failures - 1, 5)
        while True:
            await asyncio.sleep(pause_s)
            if await replica.is_ready():
                break
            pause_s = min(2 * pause_s, _PAUSE_S_MAX)
        replica.is_out = False
        logger.info("%s gets requests again", replica.url)

    async def close(self) -> None:
        """Closes all connections."""
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        for replica in self._replicas:
            await replica.close()
