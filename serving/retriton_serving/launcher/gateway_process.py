"""The gateway as a process beside Triton."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from retriton_serving.launcher.launch import LaunchError, check_port_free, die_with_parent

log = logging.getLogger("retriton.serve")
_QUICK_S = 10.0  # a process that ends sooner did not work at all
_QUICK_MAX = 3


class GatewayProcess:
    """`retriton gateway` with some options, kept running.

    Args:
        host, port: where it listens.
        options: more of its options.
        environ: variables besides this process's own.

    Raises:
        LaunchError: the port is taken.
    """

    def __init__(self, host: str, port: int, options: Sequence[str], environ: Mapping[str, str]) -> None:
        self.address = f"{host}:{port}"
        check_port_free(host, port, "choose another with --gateway-port, or leave the gateway out with --no-gateway.")
        command = [sys.executable, "-m", "retriton_pipeline.cli", "gateway", "--host", host, "--port", str(port)]
        self._command = [*command, *options]
        self._environ = {**os.environ, **environ}
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._quick = 0

    def keep(self) -> None:
        """Starts it, if it does not run.

        Raises:
            LaunchError: it ends as soon as it is started.
        """
        if self._process and (code := self._process.poll()) is None:
            return
        if self._process:
            self._quick = self._quick + 1 if time.monotonic() - self._started_s < _QUICK_S else 0
            if self._quick >= _QUICK_MAX:
                raise LaunchError("the gateway ends as soon as it is started; its log says why. Or use --no-gateway.")
            log.error("the gateway ended with code %d: starting it again", code)
        self._started_s = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for `serve` to turn into an orderly stop
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )

    def stop(self, grace_s: float) -> None:
        """Lets it finish what it has accepted, for at most ``grace_s``."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(grace_s + 5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
