"""Load on a served encoder, from several processes of the Python client."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.gpu.repository import texts
from retriton_client import AsyncClient, Limits, RetritonError, Retry


@dataclass(frozen=True)
class Load:
    """What to send.

    Attributes:
        role: ``query`` or ``passage``.
        tokens: of each text.
        texts_per_request: texts of each request.
        connections: requests at a time, over all processes.
        requests_per_s: of all processes, sent at random times; None sends the next request when one is answered.
    """

    role: str
    tokens: int
    texts_per_request: int = 1
    connections: int = 64
    requests_per_s: float | None = None


@dataclass(frozen=True)
class Measured:
    """What came back.

    Attributes:
        texts_per_s: answered texts per second.
        latencies_ms: of each answered request.
        failed: number of requests without an answer.
    """

    texts_per_s: float
    latencies_ms: tuple[float, ...]
    failed: int

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the latencies; not a number without any."""
        return float(np.percentile(self.latencies_ms, percent)) if self.latencies_ms else float("nan")


def generate(url: str, load: Load, seconds: float, processes: int) -> Measured:
    """Sends ``load`` for ``seconds`` from ``processes`` processes."""
    processes = min(processes, load.connections)
    jobs = [(url, load, seconds, processes, number) for number in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        parts = pool.starmap(_of_process, jobs)
    latencies = [latency for part in parts for latency, sent in part if latency >= 0]
    failed = sum(1 for part in parts for latency, _ in part if latency < 0)
    return Measured(len(latencies) * load.texts_per_request / seconds, tuple(latencies), failed)


def processes_for_load() -> int:
    """Processes for the load: half of the cores, at most eight."""
    return max(1, min(8, len(os.sched_getaffinity(0)) // 2))


def _of_process(url: str, load: Load, seconds: float, processes: int, number: int) -> list[tuple[float, float]]:
    return asyncio.run(_send(url, load, seconds, processes, number))


async def _send(url: str, load: Load, seconds: float, processes: int, number: int) -> list[tuple[float, float]]:
    """Latency in milliseconds (-1 for a failure) and time of sending, of each request that ended in time."""
    inputs = texts(512, load.tokens, seed=number)
    found: list[tuple[float, float]] = []
    limits = Limits(texts_per_request=load.texts_per_request, requests_in_flight=100_000)
    async with AsyncClient(url, timeout_s=30.0, limits=limits, retry=Retry(attempts_max=1)) as client:
        await (client.embed_queries if load.role == "query" else client.embed_passages)(inputs[:1])
        end = time.monotonic() + seconds
        if load.requests_per_s is None:
            each = load.connections // processes
            await asyncio.gather(*(_closed(client, load, inputs, end, found) for _ in range(each)))
        else:
            await _open(client, load, inputs, end, load.requests_per_s / processes, found)
    return found


async def _closed(
    client: AsyncClient, load: Load, inputs: Sequence[str], end: float, found: list[tuple[float, float]]
) -> None:
    place = len(found) * 7
    while time.monotonic() < end:
        place += load.texts_per_request
        await _request(client, load, inputs, place, end, found)


async def _open(
    client: AsyncClient, load: Load, inputs: Sequence[str], end: float, per_s: float, found: list[tuple[float, float]]
) -> None:
    draw = np.random.default_rng(0)
    due, sent = time.monotonic(), set()
    while (due := due + draw.exponential(1 / per_s)) < end:
        await asyncio.sleep(due - time.monotonic())
        task = asyncio.create_task(_request(client, load, inputs, len(found), end + 30, found))
        sent.add(task)
        task.add_done_callback(sent.discard)
    await asyncio.gather(*sent)


async def _request(
    client: AsyncClient, load: Load, inputs: Sequence[str], place: int, end: float, found: list[tuple[float, float]]
) -> None:
    first = place % (len(inputs) - load.texts_per_request)
    embed = client.embed_queries if load.role == "query" else client.embed_passages
    start = time.monotonic()
    try:
        await embed(inputs[first : first + load.texts_per_request])
    except RetritonError:
        found.append((-1.0, start))
        return
    now = time.monotonic()
    if now <= end:
        found.append(((now - start) * 1e3, start))
