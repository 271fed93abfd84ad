"""Peers with an OpenAI-compatible HTTP endpoint, which perf_analyzer sends load to."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from bench.peers.in_process import SAMPLE
from bench.peers.peer import Job, Peer, Rates, UnavailableError, last_line
from bench.perf_analyzer import PerfAnalyzer
from retriton_serving.launcher import free_ports

MODEL = "peer"  # the name that requests use
ENDPOINT = "v1/embeddings"
PASSAGES = 8  # in a request
CONNECTIONS = {"queries": 64, "single_queries": 1, "passages": 8}
_START_S = 600  # vLLM compiles in its first start


@dataclass(frozen=True)
class Server(Peer):
    """A server.

    Attributes:
        command: module of the environment with its arguments, from the checkpoint's folder and the port.
    """

    command: Callable[[Path, int], list[str]]

    def measure(self, job: Job) -> Rates:
        """Sends queries of one and of many callers, and passages."""
        for name, texts, size in (("queries", job.queries, 1), ("passages", job.passages, PASSAGES)):
            (job.folder / f"openai-{name}.json").write_text(json.dumps(bodies(texts, size)))
        with self._running(job) as address:
            try:
                return _measure(job, address)
            except (httpx.HTTPError, RuntimeError) as error:
                raise UnavailableError(f"failed: {error}") from error

    @contextmanager
    def _running(self, job: Job) -> Iterator[str]:
        (port,) = free_ports(1)
        log = job.folder / f"{self.requirements}.log"
        environ = {**os.environ, "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", **self.environ}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [self.environment / "bin" / "python", "-m", *self.command(job.checkpoint, port)],
                env=environ,
                stdout=stream,
                stderr=stream,
            )
        try:
            wait_ready(f"127.0.0.1:{port}", process, log)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _measure(job: Job, address: str) -> Rates:
    sample = embed(address, job.passages[:SAMPLE])
    load = PerfAnalyzer(job.folder, address)
    rates = {
        name: load.measure_openai(
            f"openai-{name.removeprefix('single_')}", connections, job.seconds, endpoint=ENDPOINT
        ).texts_per_s
        for name, connections in CONNECTIONS.items()
    }
    return Rates(sample, rates["passages"] * PASSAGES, rates["single_queries"], rates["queries"])


def wait_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the server answers. Raises UnavailableError with the last line of ``log`` if it does not."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://{address}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise UnavailableError(f"did not start; {last_line(log)}")


def embed(address: str, texts: list[str]) -> NDArray[np.float32]:
    """Embeds texts: float32 ``[texts, dimension]``."""
    answer = httpx.post(
        f"http://{address}/{ENDPOINT}", json={"model": MODEL, "input": texts}, timeout=120, trust_env=False
    ).raise_for_status()
    return np.array([item["embedding"] for item in answer.json()["data"]], np.float32)


def bodies(texts: list[str], size: int) -> dict[str, Any]:
    """Builds perf_analyzer's input: one request for every ``size`` texts."""
    parts = (texts[first : first + size] for first in range(0, len(texts), size))
    return {"data": [{"payload": [{"model": MODEL, "input": part}]} for part in parts]}
