"""The same encoder behind Triton: throughput, latency under load, CPU time and memory."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil

from bench.gpu.load import Load, generate, processes_for_load
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

_BULK_TEXTS = 64  # of a request of passages


class Served:
    """A server of the encoder. Use it as a context manager.

    Args:
        repository: from `bench.gpu.repository.install`.
        server_env: an environment with PyTorch and Triton.
        log: file for the server's output.
    """

    def __init__(self, repository: Path, server_env: Path, log: Path) -> None:
        self._log = log.open("wb")
        environ = {"RETRITON_QUERY_CACHE_MB": "0"}  # the load repeats texts
        self._server = TritonServer(
            TritonWheel(server_env), repository, Endpoint.free(), self._log, variant="python_gpu", environ=environ
        )
        self.url = self._server.endpoint.grpc_url

    def __enter__(self) -> Served:
        self._server.wait_ready(timeout_s=240)
        root = psutil.Process(self._server.pid)
        self._processes = [root, *root.children(recursive=True)]
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop(grace_s=1.0)
        self._log.close()

    def cpu_s(self) -> float:
        """CPU time of all processes of the server so far."""
        return float(sum(sum(process.cpu_times()[:2]) for process in self._processes))

    def memory_mb(self) -> float:
        """Memory of all processes of the server, shared memory once."""
        return float(sum(process.memory_full_info().pss for process in self._processes) / 1e6)

    def passages(self, tokens: int, connections: int, seconds: float) -> dict[str, float]:
        """Measures bulk passages of ``tokens`` tokens."""
        load = Load("passage", tokens, _BULK_TEXTS, connections)
        generate(self.url, load, min(seconds, 5.0), processes_for_load())  # CUDA graphs are recorded meanwhile
        cpu = self.cpu_s()
        found = generate(self.url, load, seconds, processes_for_load())
        per_s = found.texts_per_s
        return {
            "tokens_per_s": per_s * tokens,
            "cpu_ms_per_text": (self.cpu_s() - cpu) * 1e3 / max(1.0, per_s * seconds),
            "failed": found.failed,
        }

    def queries(self, tokens: int, texts_per_request: int, connections: int, seconds: float) -> dict[str, float]:
        """Measures queries from callers that wait for each answer."""
        load = Load("query", tokens, texts_per_request, connections)
        generate(self.url, load, min(seconds, 5.0), processes_for_load())
        cpu = self.cpu_s()
        found = generate(self.url, load, seconds, processes_for_load())
        return {
            "queries_per_s": found.texts_per_s,
            "cpu_ms_per_text": (self.cpu_s() - cpu) * 1e3 / max(1.0, found.texts_per_s * seconds),
            "p99_ms": found.percentile_ms(99),
            "failed": found.failed,
        }

    def query_latency(self, tokens: int, queries_per_s: float, seconds: float) -> dict[str, float]:
        """Measures single queries that arrive at random times."""
        found = generate(self.url, Load("query", tokens, requests_per_s=queries_per_s), seconds, processes_for_load())
        return {"p50_ms": found.percentile_ms(50), "p99_ms": found.percentile_ms(99), "failed": found.failed}

    def queries_under_bulk(self, bulk_tokens: int, seconds: float) -> dict[str, float]:
        """Measures 20 queries of 16 tokens per second while passages keep the devices busy."""
        bulk = Load("passage", bulk_tokens, _BULK_TEXTS, connections=8)
        job = threading.Thread(target=generate, args=(self.url, bulk, seconds + 4, 1))
        job.start()
        time.sleep(2)
        found = self.query_latency(16, 20.0, seconds)
        job.join()
        return found
