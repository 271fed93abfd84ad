"""`retriton serve` as a process of its own, with its memory, threads, descriptors and files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.measurements import REPOSITORY, SERVER_ENV
from retriton_serving.launcher import Endpoint, free_ports

_START_S = 180.0
_REGION_PREFIX = re.compile(r"shm-region-prefix-name=(\w+)")
_SHARED_MEMORY = Path("/dev/shm")
_ROLES = (
    ("/encoder/1/", "encoder"), ("/embed_query/1/", "embed_query"), ("/embed_passage/1/", "embed_passage"),
    ("/rerank/1/", "rerank"), ("/encoder_info/1/", "encoder_info"), ("/cross_encoder/1/", "cross_encoder"),
    (" gateway ", "gateway"), ("tritonserver", "triton"), ("milvus", "milvus"), ("spawn_main", "reader"),
    (" serve ", "supervisor"),
)  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A running service.

    Attributes:
        http_url: of the gateway.
        grpc_url: of Triton, ``host:port``.
        pid: of the supervisor; None for a service that this program did not start.
        folder: of its log, its Milvus Lite file and its temporary files; None as above.
    """

    http_url: str
    grpc_url: str
    pid: int | None = None
    folder: Path | None = None

    def processes(self) -> list[psutil.Process]:
        """All processes of the service that live."""
        if self.pid is None or not psutil.pid_exists(self.pid):
            return []
        supervisor = psutil.Process(self.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def by_role(self) -> dict[str, list[psutil.Process]]:
        """The processes by what they do: ``encoder``, ``embed_query``, ``gateway``, ``triton`` and so on."""
        found: dict[str, list[psutil.Process]] = {}
        for process in self.processes():
            if role := role_of(process):
                found.setdefault(role, []).append(process)
        return found

    def memory_mib(self) -> float:
        """Memory of all processes, counting shared memory once (proportional set size); 0 if unknown."""
        return sum(values(self.processes(), lambda process: process.memory_full_info().pss)) / 2**20

    def is_ready(self) -> bool:
        """Whether the gateway says that it and Triton serve."""
        try:
            answer = httpx.get(f"{self.http_url}/v1/health/ready?part=triton", trust_env=False, timeout=10)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def wait_ready(self, timeout_s: float = _START_S) -> float:
        """Waits until it is ready; returns the seconds.

        Raises:
            TimeoutError: it is not ready in time.
            RuntimeError: it has ended.
        """
        start = time.monotonic()
        while not self.is_ready():
            if self.pid is not None and psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"retriton serve has ended; its log is in {self.folder}")
            if time.monotonic() - start > timeout_s:
                raise TimeoutError(f"{self.http_url} is not ready after {timeout_s:g} s; its log is in {self.folder}")
            time.sleep(0.1)
        return time.monotonic() - start


def role_of(process: psutil.Process) -> str:
    """What a process of the service does; empty for helpers, and for a process that ended."""
    try:
        command = " ".join(process.cmdline()) + " "
    except psutil.Error:
        return ""
    return next((role for mark, role in _ROLES if mark in command), "other" if command.strip() else "")


def values(processes: Iterable[psutil.Process], measure: Callable[[psutil.Process], int]) -> list[int]:
    """A measure of every process that still lives."""
    found = []
    for process in processes:
        try:
            found.append(measure(process))
        except psutil.Error:
            continue
    return found


def region_prefix(triton: psutil.Process) -> str:
    """How the names of a server's regions in /dev/shm begin; empty if the process ended."""
    try:
        found = _REGION_PREFIX.search(" ".join(triton.cmdline()))
    except psutil.Error:
        return ""
    return found[1] if found else ""


def shared_memory_bytes(prefixes: Iterable[str]) -> int:
    """The bytes of all regions in /dev/shm whose names begin with one of ``prefixes``."""
    return sum(_size(file) for prefix in prefixes for file in _SHARED_MEMORY.glob(f"{prefix}*"))


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(_size(file) for file in folder.rglob("*"))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0


@contextmanager
def serving(**environ: str) -> Iterator[Served]:
    """Starts `retriton serve` with a gateway on free ports, in a new folder, and stops it."""
    folder = Path(tempfile.mkdtemp(prefix="retriton-bench-"))
    (folder / "tmp").mkdir()
    endpoint, port = Endpoint.free(), free_ports(1)[0]
    ports = {"grpc": endpoint.grpc_port, "http": endpoint.http_port, "metrics": endpoint.metrics_port, "gateway": port}
    command = [sys.executable, "-m", "retriton", "serve"]
    command += [part for name, value in ports.items() for part in (f"--{name}-port", str(value))]
    variables = {
        "RETRITON_MODEL_REPOSITORY": str(REPOSITORY),
        "RETRITON_SERVER_ENV": str(SERVER_ENV),
        "RETRITON_MILVUS_URI": str(folder / "milvus.db"),
        "TMPDIR": str(folder / "tmp"),
        **environ,
    }
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)
    try:
        served = Served(f"http://127.0.0.1:{port}", endpoint.grpc_url, process.pid, folder)
        served.wait_ready()
        yield served
    finally:
        process.terminate()
        process.wait(60)


def json_line(found: object) -> str:
    """``found`` on one line."""
    return json.dumps(found, separators=(",", ":"))
