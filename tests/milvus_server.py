"""A real Milvus server in a process, from the wheel `milvus`."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_serving.launcher import free_ports

ROOT = Path(__file__).parent.parent
SERVER = ROOT / ".venv-milvus" / "bin" / "milvus-server"
_START_SECONDS_MAX = 180


@contextmanager
def milvus_server(folder: Path) -> Iterator[str]:
    """Runs a server that keeps its data in ``folder``; gives its address."""
    port, metrics_port = free_ports(2)
    with (folder / "milvus.log").open("wb") as log:
        command = [SERVER, "--data", folder / "data", "--proxy-port", str(port)]
        environ = {**os.environ, "METRICS_PORT": str(metrics_port)}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
    try:
        uri = f"http://127.0.0.1:{port}"
        _wait(uri, process, folder / "milvus.log")
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(uri: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client = MilvusClient(uri, timeout=2)
            client.list_collections(timeout=2)
            client.close()
        except MilvusException:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"Milvus did not start:\n{log.read_text(errors='replace')[-2000:]}")
