"""Measures a server with the null engine: throughput, and CPU time by process."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measurements import REPOSITORY, SERVER_ENV
from bench.perf_analyzer import Load, PerfAnalyzer
from bench.served import role_of
from bench.workloads import Workloads
from retriton_client import Client
from retriton_serving.contract.models import LANES
from retriton_serving.contract.variables import QUERY_CACHE_MB
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

PASSAGE_TOKENS = 129
QUERIES = Load("embed_query", "queries", texts=1, connections=64)
QUERY_BATCHES = Load("embed_query", "queries", texts=32, connections=8)
PASSAGES = Load("embed_passage", "front_passages", texts=32, connections=8)
_NULL_MODEL = Path(__file__).parent / "null_model.py"


@dataclass(frozen=True)
class Cost:
    """What one load costs.

    Attributes:
        texts_per_s: throughput, with the load generator on the same cores.
        triton_ms, lane_ms, encoder_ms: CPU milliseconds a text of ``tritonserver``, of the processes of all lanes, and
            of the encoder's process.
    """

    texts_per_s: float
    triton_ms: float
    lane_ms: float
    encoder_ms: float

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a text of all processes of the server."""
        return self.triton_ms + self.lane_ms + self.encoder_ms


class Front:
    """Measurements of one server.

    Args:
        server: with the null engine.
        load: sends the load.
        seconds: of each load.
    """

    def __init__(self, server: TritonServer, load: PerfAnalyzer, seconds: float) -> None:
        self._endpoint = server.endpoint
        triton = psutil.Process(server.pid)
        self._processes = [triton, *triton.children(recursive=True)]
        self._load = load
        self._seconds = seconds

    def cost(self, load: Load) -> Cost:
        """Measures one load, after a warm-up."""
        self._load.measure(load, 3.0)
        texts, cpu_s = self._texts(load.lane), self._cpu_s()
        measured = self._load.measure(load, self._seconds)
        spent_ms, texts = self._cpu_s(), self._texts(load.lane) - texts
        spent_ms.subtract(cpu_s)
        each = {role: seconds * 1e3 / texts for role, seconds in spent_ms.items()}
        lanes_ms = sum(each[lane] for lane in LANES)
        return Cost(measured.texts_per_s, each["triton"], lanes_ms, each["encoder"])

    def _cpu_s(self) -> Counter[str]:
        seconds: Counter[str] = Counter()
        for process in self._processes:
            seconds[role_of(process)] += sum(process.cpu_times()[:2])
        return seconds

    def _texts(self, lane: str) -> int:
        url = f"http://{self._endpoint.host}:{self._endpoint.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            page = answer.read().decode()
        found = re.findall(rf'^nv_inference_count{{model="{lane}".*}} (\S+)', page, re.MULTILINE)
        return int(sum(map(float, found)))


@contextmanager
def null_server(folder: Path) -> Iterator[tuple[TritonServer, PerfAnalyzer]]:
    """A server with the null engine and what sends load to it. The cache is off, because texts are repeated.

    Args:
        folder: of the copied model repository, the log and the workloads.
    """
    repository = folder / "model_repository"
    shutil.rmtree(repository, ignore_errors=True)
    shutil.copytree(REPOSITORY, repository, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(_NULL_MODEL, repository / "encoder" / "1" / "model.py")
    variables = {QUERY_CACHE_MB: "0"}
    with (folder / "front.log").open("wb") as log:
        server = TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free(), log, environ=variables)
        with server, Client(server.endpoint.grpc_url, timeout_s=60) as client:
            server.wait_ready()
            workloads = Workloads(client)
            workloads.write(folder)
            passages = workloads.passages_of(PASSAGE_TOKENS)
            (folder / "front_passages.json").write_text(json.dumps({"data": [{"text": [text]} for text in passages]}))
            yield server, PerfAnalyzer(folder, server.endpoint.grpc_url)


def results(queries: Cost, passages: Cost) -> dict[str, float]:
    """The figures of `make bench`."""
    return {
        "front_cpu_ms_per_query": queries.cpu_ms,
        "front_cpu_ms_per_passage": passages.cpu_ms,
        "front_queries_per_s": queries.texts_per_s,
        "front_passage_tokens_per_s": passages.texts_per_s * PASSAGE_TOKENS,
    }


def measure(folder: Path, seconds: float = 8.0) -> dict[str, float]:
    """Measures single queries and bulk passages."""
    with null_server(folder) as (server, load):
        front = Front(server, load, seconds)
        return results(front.cost(QUERIES), front.cost(PASSAGES))
