"""`make bench`: runs all load tests, writes a report, and prints a table and one JSON line."""

from __future__ import annotations

import os

from bench import curves, report
from bench.front import measurements as front
from bench.measurements import REPOSITORY, SERVER_ENV, Measurements
from bench.perf_analyzer import PerfAnalyzer
from bench.retrieval import measurements as retrieval
from bench.workloads import REPORT, Workloads
from retriton_client import Client
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel


def main() -> None:
    """Starts a server and runs all measurements. The query cache is disabled, because texts are repeated."""
    REPORT.mkdir(parents=True, exist_ok=True)
    os.environ["RETRITON_QUERY_CACHE_MB"] = "0"
    with (REPORT / "triton.log").open("wb") as log:
        server = TritonServer(TritonWheel(SERVER_ENV), REPOSITORY, Endpoint.free(), log)
        with server, Client(server.endpoint.grpc_url, timeout_s=60) as client:
            server.wait_ready()
            url = server.endpoint.grpc_url
            workloads = Workloads(client)
            workloads.write(REPORT)
            load = PerfAnalyzer(REPORT, url)
            measurements = Measurements(server, client, load, workloads, REPORT)
            results = measurements.throughput()
            results |= measurements.query_latency()
            results |= measurements.overload(results["served_passage_tokens_per_s"])
            results |= measurements.memory()
            drawn = {
                "latency_against_load": curves.latency_against_load(load, results["served_query_per_s"]),
                "throughput_against_connections": curves.throughput_against_connections(load),
                "mixed_load": curves.mixed_load(url, load, workloads),
            }
    try:
        results |= front.measure(REPORT)
        results |= retrieval.measure("", list(retrieval.MODES), seconds=6.0, brief=True)
    finally:  # what was measured is kept if one of them fails
        report.write(REPORT, results, drawn)
    print(f"{REPORT}/report.md has the curves\n")
    report.print_results(results)


if __name__ == "__main__":
    main()
