"""Keeps Triton healthy: probes it by embedding, and restarts it when it is dead, hangs, or computes wrong results."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from retriton_client import DeadlineExceeded, RetritonError, Tls
from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.probe import Probe, WrongOutput
from retriton_serving.launcher.server import TritonServer

log = logging.getLogger("retriton.serve")
PROBE_PERIOD_S = 1.0
COMPARE_PERIOD_S = 60.0  # between comparisons with the golden outputs
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
                with Probe(
                    self.server.endpoint.local_grpc_url, self.server.models, self._tls, self.server.secret
                ) as probe:
                    healthy = self._compare(probe)
                    self._on_ready(self.server)
                    if self._watch(self.server, probe, healthy):
                        starts_left = _STARTS_MAX
            except LaunchError as error:
                if starts_left <= 1:
                    raise
                log.error("%s", error)
            starts_left -= 1
            if starts_left < 1:
                raise LaunchError("the server starts, but does not get healthy; its log says why")
            if self.server:
                self.server.stop(grace_s=0.0)  # what hangs does not drain
                self.server = None
            else:  # it did not even start
                time.sleep(PROBE_PERIOD_S)

    def _compare(self, probe: Probe) -> bool:
        """Raises `LaunchError` for a server that computes wrong results; says whether every model answers."""
        try:
            probe.check()
        except RetritonError as error:
            log.warning("unhealthy: %s", error)
            return False
        try:
            probe.compare()
        except WrongOutput as error:
            raise LaunchError(str(error)) from error
        except RetritonError as error:  # busy; compared again later
            log.warning("the outputs of the server are not compared with the manifest: %s", error)
        return True

    def _watch(self, server: TritonServer, probe: Probe, healthy: bool) -> bool:
        """Returns when the server must be replaced, and says whether it was ever healthy."""
        timeouts, started_s = 0, time.monotonic()
        compared_s = started_s
        while timeouts < _TIMEOUTS_MAX:
            if (code := server.exit_code()) is not None:
                log.error("tritonserver ended with code %d: starting it again", code)
                return healthy
            try:
                probe.check()
                timeouts, healthy = 0, True
                if time.monotonic() - compared_s > COMPARE_PERIOD_S:
                    compared_s = time.monotonic()
                    _compare_again(probe)
            except DeadlineExceeded as error:
                timeouts += 1
                log.warning("no answer to probe %d of %d: %s", timeouts, _TIMEOUTS_MAX, error)
                continue  # it has waited long enough
            except WrongOutput as error:
                log.error("%s", error)
                break
            except RetritonError as error:
                log.warning("unhealthy: %s", error)
                if healthy or time.monotonic() - started_s > _START_S:
                    break
            time.sleep(PROBE_PERIOD_S)
        log.warning("starting the server again")
        return healthy


def _compare_again(probe: Probe) -> None:
    """Raises `WrongOutput`; a busy server is compared the next time."""
    try:
        probe.compare(cached=False)
    except WrongOutput:
        raise
    except RetritonError as error:
        log.debug("the outputs of the server are not compared with the manifest: %s", error)
