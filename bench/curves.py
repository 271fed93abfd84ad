"""Curves: latency over load, throughput over connections, and query latency over time under mixed load."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, replace
from typing import Any

from bench.measurements import BULK, QUERY
from bench.perf_analyzer import PerfAnalyzer
from bench.workloads import Workloads
from retriton_client import AsyncClient, Limits, RetritonError

LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0)
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
_SECONDS = 6.0
_QUERIES_PER_S = 20
_BULK_FROM_S, _BULK_TO_S, _END_S = 6.0, 18.0, 24.0
Rows = list[dict[str, Any]]


def latency_against_load(load: PerfAnalyzer, queries_per_s_max: float) -> Rows:
    """Measures single queries at random times, at fractions of the rate that 64 connections reach."""
    rows = []
    for share in LOADS:
        rate = share * queries_per_s_max
        measured = load.measure(replace(QUERY, requests_per_s=rate), _SECONDS)
        rows.append({"load": share, "offered_per_s": rate, **asdict(measured)})
    return rows


def throughput_against_connections(load: PerfAnalyzer) -> Rows:
    """Measures single queries from callers that wait for each response."""
    return [
        {"connections": number, **asdict(load.measure(replace(QUERY, connections=number), _SECONDS))}
        for number in CONNECTIONS
    ]


def mixed_load(url: str, load: PerfAnalyzer, workloads: Workloads) -> Rows:
    """Sends 20 queries per second while bulk load starts and stops; returns send time and latency of each query."""
    return asyncio.run(_mixed_load(url, load, workloads))


async def _mixed_load(url: str, load: PerfAnalyzer, workloads: Workloads) -> Rows:
    rows: Rows = []
    async with AsyncClient(url, limits=Limits(requests_in_flight=1000)) as client:
        start = time.monotonic()
        bulk = asyncio.create_task(_bulk(load))
        queries = []
        for number in range(int(_QUERIES_PER_S * _END_S)):
            await asyncio.sleep(start + number / _QUERIES_PER_S - time.monotonic())
            text = workloads.queries[number % len(workloads.queries)]
            queries.append(asyncio.create_task(_query(client, text, start, rows)))
        await asyncio.gather(bulk, *queries)
    return sorted(rows, key=lambda row: float(row["sent_s"]))


async def _bulk(load: PerfAnalyzer) -> None:
    await asyncio.sleep(_BULK_FROM_S)
    run = load.start(BULK, "--request-count", "100000")
    await asyncio.sleep(_BULK_TO_S - _BULK_FROM_S)
    run.stop()


async def _query(client: AsyncClient, text: str, start: float, rows: Rows) -> None:
    sent = time.monotonic()
    try:
        await client.embed_queries([text])
    except RetritonError as error:
        rows.append({"sent_s": sent - start, "error": str(error)})
    else:
        rows.append({"sent_s": sent - start, "ms": (time.monotonic() - sent) * 1e3})
