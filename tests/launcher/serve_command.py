"""`retriton serve` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from retriton_serving.launcher import Endpoint, free_ports
from tests.conftest import SERVER_ENV

COMMAND = str(Path(sys.executable).parent / "retriton")


@contextmanager
def serving(
    repository: Path, folder: Path, *options: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[bytes], Endpoint, str]]:
    """`retriton serve` with its gateway: the process, Triton's ports, and the gateway's address."""
    endpoint, port = Endpoint.free(), free_ports(1)[0]
    ports = {"grpc": endpoint.grpc_port, "http": endpoint.http_port, "metrics": endpoint.metrics_port, "gateway": port}
    command = [COMMAND, "serve", "--model-repository", str(repository), "--server-env", str(SERVER_ENV), *options]
    command += [part for name, value in ports.items() for part in (f"--{name}-port", str(value))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RETRITON_", "OTEL_"))}
    environ = {**clean, "RETRITON_MILVUS_URI": str(folder / "milvus.db"), **environ}
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder)
    try:
        yield process, endpoint, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def until_ready(address: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/v1/health/ready", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{address} was not ready within {timeout_s} s")
