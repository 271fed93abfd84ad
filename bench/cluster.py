"""Load tests against a remote server: ``python -m bench.cluster HOST:PORT``.

The loads and the report are those of `python -m bench`, without the measurements that need access to the server's
processes: the comparison with the engine in process, the shares of CPU time, and memory. In a cluster, Prometheus
reports CPU time and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import replace

import numpy as np

from bench import curves, open_loop, report
from bench.measurements import BULK, QUERY
from bench.perf_analyzer import PerfAnalyzer
from bench.workloads import REPORT, Workloads
from retriton_client import Client

# By default perf_analyzer shares a connection between six callers. With one connection per caller, a Service can
# distribute them over the pods.
os.environ.setdefault("TRITON_CLIENT_GRPC_CHANNEL_MAX_SHARE_COUNT", "1")
_TEXTS = 8
Results = dict[str, float]


def main() -> None:
    """Runs the load tests."""
    parser = argparse.ArgumentParser(prog="bench.cluster", description=__doc__)
    parser.add_argument("url", metavar="HOST:PORT", help="a Service, which assigns each connection to a pod")
    parser.add_argument(
        "--balanced", metavar="URL", help="address at which one client reaches all pods: dns:///HEADLESS:PORT"
    )
    parser.add_argument("--overload", action="store_true", help="also send four times the capacity; not for production")
    parser.add_argument("--seconds", type=float, default=12.0, help="duration of each measurement, except the curves")
    options = parser.parse_args()
    REPORT.mkdir(parents=True, exist_ok=True)
    balanced = options.balanced or options.url
    with Client(balanced, timeout_s=60) as client:
        workloads = Workloads(client)
        workloads.write(REPORT)
        load = PerfAnalyzer(REPORT, options.url)
        results = _throughput_and_latency(load, workloads, options.seconds)
        if options.overload:
            results |= _overload(client, balanced, workloads, results["served_passage_tokens_per_s"])
    drawn = {
        "latency_against_load": curves.latency_against_load(load, results["served_query_per_s"]),
        "throughput_against_connections": curves.throughput_against_connections(load),
        "mixed_load": curves.mixed_load(balanced, load, workloads),
    }
    report.write(REPORT, results, drawn)
    sys.stdout.writelines(f"{name:32} {value:12.3f}\n" for name, value in results.items())
    sys.stdout.write(json.dumps({name: round(value, 4) for name, value in results.items()}) + "\n")


def _throughput_and_latency(load: PerfAnalyzer, workloads: Workloads, seconds: float) -> Results:
    passages = load.measure(BULK, seconds)
    queries = load.measure(replace(QUERY, connections=64), seconds)
    idle = load.measure(QUERY, seconds)
    bulk = load.start(BULK, "--request-count", "100000")
    try:
        loaded = load.measure(QUERY, seconds)
    finally:
        bulk.stop()
    return {
        "served_passage_tokens_per_s": passages.texts_per_s * workloads.passage_tokens,
        "served_query_per_s": queries.texts_per_s,
        "query_p50_ms_idle": idle.p50_ms,
        "query_p99_ms_idle": idle.p99_ms,
        "query_p50_ms_under_bulk": loaded.p50_ms,
        "query_p99_ms_under_bulk": loaded.p99_ms,
    }


def _overload(client: Client, url: str, workloads: Workloads, capacity_tokens_per_s: float) -> Results:
    capacity_texts_per_s = capacity_tokens_per_s / workloads.passage_tokens
    rate = 4 * capacity_texts_per_s / _TEXTS
    outcomes = asyncio.run(open_loop.send(url, workloads.passages, _TEXTS, rate, seconds=20))
    end = time.monotonic()
    client.embed_passages(workloads.passages[:1])
    refused = [1e3 * seconds for seconds in outcomes.refused_s] or [0.0]
    return {
        "overload_goodput_ratio": outcomes.texts / outcomes.seconds / capacity_texts_per_s,
        "overload_refused_share": len(outcomes.refused_s) / (len(outcomes.refused_s) + len(outcomes.answered_s)),
        "overload_reject_p99_ms": float(np.percentile(refused, 99)),
        "overload_recovery_s": time.monotonic() - end,
    }


if __name__ == "__main__":
    main()
