"""Measurements of one server: throughput, latency, overload, memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench import open_loop
from bench.perf_analyzer import Load, PerfAnalyzer
from bench.processes import ServerProcesses
from bench.workloads import Workloads
from retriton_client import Client
from retriton_serving.launcher import TritonServer

REPOSITORY = Path("model_repository")
SERVER_ENV = Path(".venv-server")
SERVER_PYTHON = {**os.environ, "PYTHONPATH": "serving"}  # environment variables for the interpreter of SERVER_ENV
QUERY = Load("embed_query", "queries", texts=1)
BULK = Load("embed_passage", "passages", texts=32, connections=8)
Results = dict[str, float]


class Measurements:
    """Measurements of one server.

    Args:
        server: server to measure.
        client: client of the server.
        load: sends the load.
        workloads: texts to send.
        folder: folder with the workloads' files.
    """

    def __init__(
        self, server: TritonServer, client: Client, load: PerfAnalyzer, workloads: Workloads, folder: Path
    ) -> None:
        self._endpoint = server.endpoint
        self._client = client
        self._folder = folder
        self._workloads = workloads
        self._load = load
        self._processes = ServerProcesses(server.pid)

    def throughput(self) -> Results:
        """Measures passages and queries, and compares passages with the engine in process.

        The engine is measured before and after, because the speed of machines drifts.
        """
        before = self._inprocess()
        start = self._lane_counts("embed_passage")
        self._processes.restart()
        passages = self._load.measure(BULK, 12)
        passage_share = self._processes.engine_cpu_share()
        time.sleep(1.5)  # the lanes report their counts once a second
        tokens, padded = (end - begin for end, begin in zip(self._lane_counts("embed_passage"), start, strict=True))
        inprocess = (before + self._inprocess()) / 2
        self._processes.restart()
        queries = self._load.measure(replace(QUERY, connections=64), 12)
        served = passages.texts_per_s * self._workloads.passage_tokens
        return {
            "inprocess_tokens_per_s": inprocess,
            "served_passage_tokens_per_s": served,
            "passage_ratio": served / inprocess,
            "served_query_per_s": queries.texts_per_s,
            "query_engine_cpu_share": self._processes.engine_cpu_share(),
            "passage_engine_cpu_share": passage_share,
            "padding_share": 1 - tokens / padded,
        }

    def query_latency(self) -> Results:
        """Measures one query at a time, on an idle server and on one saturated with passages."""
        idle = self._load.measure(QUERY, 9)
        bulk = self._load.start(BULK, "--request-count", "100000")
        try:
            time.sleep(3)
            loaded = self._load.measure(QUERY, 18)
        finally:
            bulk.stop()
        return {
            "query_p50_ms_idle": idle.p50_ms,
            "query_p99_ms_idle": idle.p99_ms,
            "query_p50_ms_under_bulk": loaded.p50_ms,
            "query_p99_ms_under_bulk": loaded.p99_ms,
        }

    def overload(self, capacity_tokens_per_s: float) -> Results:
        """Sends four times the capacity as open-loop load."""
        texts = 8
        capacity_texts_per_s = capacity_tokens_per_s / self._workloads.passage_tokens
        rate = 4 * capacity_texts_per_s / texts
        outcomes = asyncio.run(
            open_loop.send(self._endpoint.grpc_url, self._workloads.passages, texts, rate, seconds=20)
        )
        end = time.monotonic()
        if outcomes.failed:
            print(f"failed under overload: {len(outcomes.failed)}, the first: {outcomes.failed[0]}", file=sys.stderr)
        self._client.embed_passages(self._workloads.passages[:1])
        return {
            "overload_goodput_ratio": outcomes.texts / outcomes.seconds / capacity_texts_per_s,
            "overload_refused_share": len(outcomes.refused_s) / (len(outcomes.refused_s) + len(outcomes.answered_s)),
            "overload_reject_p99_ms": float(np.percentile(outcomes.refused_s, 99)) * 1e3,
            "overload_recovery_s": time.monotonic() - end,
        }

    def memory(self) -> Results:
        """Measures the growth of memory between the 2,000th and the 20,000th request of this measurement."""
        queries = replace(QUERY, connections=64)
        all_shapes = replace(queries, data="passages")
        self._load.send(all_shapes, 200)
        self._load.send(queries, 1800)
        early = self._processes.memory_bytes()
        self._load.send(queries, 17_000)
        self._load.send(all_shapes, 1000)
        return {"rss_growth_ratio": self._processes.memory_bytes() / early - 1}

    def _inprocess(self) -> float:
        command: list[str | Path] = [
            SERVER_ENV / "bin" / "python",
            "-m",
            "bench.inprocess",
            REPOSITORY / "encoder" / "1",
        ]
        command += [self._folder / "passages.json", "10"]
        done = subprocess.run(command, env=SERVER_PYTHON, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout)["tokens_per_s"])

    def _lane_counts(self, lane: str) -> tuple[float, float]:
        """Reads the numbers of tokens that a lane has computed, without and with padding."""
        url = f"http://{self._endpoint.host}:{self._endpoint.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            page = answer.read().decode()
        return tuple(  # type: ignore[return-value]
            sum(map(float, re.findall(rf'^retriton_{name}_total{{lane="{lane}"}} (\S+)', page, re.MULTILINE)))
            for name in ("tokens", "padded_tokens")
        )
