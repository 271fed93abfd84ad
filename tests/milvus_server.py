"""A real Milvus server in a process, from the wheel `milvus`."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_serving.launcher import free_ports

ROOT = Path(__file__).parent.parent
SERVER = ROOT / ".venv-milvus" / "bin" / "milvus-server"
_START_SECONDS_MAX = 180
_START_LOCK = Path(tempfile.gettempdir()) / "retriton-tests-milvus.lock"
_ETCD = """
name: default
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: default=http://127.0.0.1:{peer}
"""


@contextmanager
def milvus_server(folder: Path) -> Iterator[str]:
    """Runs a server that keeps its data in ``folder``; gives its address."""
    (port,) = free_ports(1)
    uri = f"http://127.0.0.1:{port}"
    with ExitStack() as undo:
        with _one_at_a_time():
            process = _start(folder, port)
            undo.callback(_kill, process)
            _wait(uri, process, folder / "milvus.log")
        yield uri


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Servers that start at the same time choose the same ports for their parts, and one of them hangs."""
    with _START_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    etcd = folder / "etcd.yaml"  # its ports are fixed otherwise
    client, peer = free_ports(2)
    etcd.write_text(_ETCD.format(client=client, peer=peer))
    command = [SERVER, "--data", folder / "data", "--proxy-port", str(port)]
    environ = {**os.environ, "ETCD_CONFIG_PATH": str(etcd)}
    with (folder / "milvus.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
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
