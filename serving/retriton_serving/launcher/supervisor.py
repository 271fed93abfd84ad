"""Keeps Triton healthy: probes it by embedding, and starts it again when it is dead or hangs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from retriton_client import Client, DeadlineExceeded, RetritonError, Tls
from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.server import TritonServer

log = logging.getLogger("retriton.serve")
PROBE_PERIOD_S = 1.0
PROBE_TIMEOUT_S = 3.0
_TIMEOUTS_MAX = 2  # of a probe, in a row: a machine may be busy once; a broken server says so at once
_STARTS_MAX = 5
_START_S = 10.0  # after which a server that is ready must answer the first probe


class Supervisor:
    """Runs one server after the other, until it is stopped.

    Args:
        start: starts a server.
        on_ready: called with every server that is ready.
        tls: how to probe a server that encrypts.
    """

    def __init__(
        self,
        start: Callable[[], TritonServer],
        on_ready: Callable[[TritonServer], None],
        tls: Tls | None = None,
    ) -> None:
        self._start = start
        self._on_ready = on_ready
        self._tls = tls
        self.server: TritonServer | None = None

    def run(self) -> None:
        """Never returns.

        Raises:
            LaunchError: the first server does not start, or too many in a row do not get healthy.
        """
        starts_left = 1
        while True:
            try:
                self.server = self._start()
                self.server.wait_ready()
                self._on_ready(self.server)
                if self._watch(self.server):
                    starts_left = _STARTS_MAX
            except LaunchError:
                if starts_left <= 1:
                    raise
            starts_left -= 1
            if starts_left < 1:
                raise LaunchError("the server starts, but does not get healthy; its log says why")
            if self.server:
                self.server.stop(grace_s=0.0)  # what hangs does not drain
                self.server = None
            else:  # it did not even start
                time.sleep(PROBE_PERIOD_S)

    def _watch(self, server: TritonServer) -> bool:
        """Returns when the server must be replaced, and says whether it was ever healthy."""
        timeouts, healthy, started_s = 0, False, time.monotonic()
        with Client(server.endpoint.grpc_url, tls=self._tls) as client:
            while timeouts < _TIMEOUTS_MAX:
                if (code := server.exit_code()) is not None:
                    log.error("tritonserver ended with code %d: starting it again", code)
                    return healthy
                try:
                    client.check_health(PROBE_TIMEOUT_S, server.secret)
                    timeouts, healthy = 0, True
                except DeadlineExceeded as error:
                    timeouts += 1
                    log.warning("no answer to probe %d of %d: %s", timeouts, _TIMEOUTS_MAX, error)
                except RetritonError as error:
                    log.warning("unhealthy: %s", error)
                    if healthy or time.monotonic() - started_s > _START_S:
                        break
                time.sleep(PROBE_PERIOD_S)
        log.warning("starting the server again")
        return healthy
