"""Measures the overhead of HTTP: single queries through the gateway and over gRPC.

Prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import httpx

from bench.measurements import QUERY, REPOSITORY, SERVER_ENV
from bench.perf_analyzer import Measured, PerfAnalyzer
from bench.workloads import REPORT, Workloads
from retriton_client import Client
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel, free_ports

FOLDER = REPORT / "gateway"
_START_S = 60.0


@contextmanager
def gateway(url: str) -> Iterator[str]:
    """Runs `retriton gateway` for the server at ``url``; yields the gateway's address."""
    (port,) = free_ports(1)
    command: list[str | Path] = [Path(sys.executable).parent / "retriton", "gateway", "--url", url, "--port", str(port)]
    with (FOLDER / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--milvus", str(FOLDER / "milvus.db")], stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/v1/health/live", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def measure(connections: int, seconds: float, rounds: int) -> dict[str, list[Measured]]:
    """Measures gRPC and HTTP alternately.

    Args:
        connections: number of concurrent callers.
        seconds: duration of each measurement.
        rounds: number of measurements of each protocol.
    """
    found: dict[str, list[Measured]] = {"grpc": [], "http": []}
    with (FOLDER / "triton.log").open("wb") as log:
        server = TritonServer(TritonWheel(SERVER_ENV), REPOSITORY, Endpoint.free(), log)
    with server:
        server.wait_ready()
        with Client(server.endpoint.grpc_url) as client:
            workloads = Workloads(client)
        workloads.write(FOLDER)
        bodies = [{"model": "query", "input": text, "encoding_format": "base64"} for text in workloads.queries]
        (FOLDER / "bodies.json").write_text(json.dumps({"data": [{"payload": [body]} for body in bodies]}))
        load = PerfAnalyzer(FOLDER, server.endpoint.grpc_url)
        with gateway(server.endpoint.grpc_url) as address:
            for _ in range(rounds):
                found["grpc"].append(load.measure(replace(QUERY, connections=connections), seconds))
                found["http"].append(load.measure_openai("bodies", connections, seconds, address, "v1/embeddings"))
    return found


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="bench.gateway", description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=12.0, help="duration of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["RETRITON_QUERY_CACHE_MB"] = "0"  # texts are repeated
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = measure(options.connections, options.seconds, options.rounds)
    result = {"connections": options.connections}
    for way, runs in found.items():
        result[f"{way}_queries_per_s"] = round(median(run.texts_per_s for run in runs), 1)
        result[f"{way}_p50_ms"] = round(median(run.p50_ms for run in runs), 2)
        result[f"{way}_p99_ms"] = round(median(run.p99_ms for run in runs), 2)
        print(f"{way}: {result[f'{way}_queries_per_s']:8.1f} queries/s, p50 {result[f'{way}_p50_ms']} ms")
    ratios = [http.texts_per_s / grpc.texts_per_s for http, grpc in zip(found["http"], found["grpc"], strict=True)]
    print(json.dumps({**result, "http_ratio": round(median(ratios), 3)}))


if __name__ == "__main__":
    main()
