"""A lane of two processes is one lane to its callers, to probes, to Prometheus and at its end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from retriton_client import AsyncClient, Client, Limits, RetritonError, Retry
from retriton_serving.contract.variables import LANE_PROCESSES
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV
from tests.system.test_lanes import texts

pytestmark = [
    pytest.mark.triton,
    pytest.mark.skipif(
        "RETRITON_TEST_LANE_PROCESSES" not in os.environ,
        reason="with two instances of a lane, the stub of Triton 2.51 crashes now and then (docs/log.md); "
        "set RETRITON_TEST_LANE_PROCESSES to run them",
    ),
]


@pytest.fixture
def two(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TritonServer]:
    """A server whose lanes have two processes each."""
    monkeypatch.setenv(LANE_PROCESSES, "2")
    monkeypatch.setenv("RETRITON_QUERY_CACHE_MB", "0")
    log_file = tmp_path / "triton.log"
    with log_file.open("wb") as log, TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free(), log) as server:
        server.wait_ready()
        yield server


def processes(server: TritonServer, lane: str) -> list[psutil.Process]:
    children = psutil.Process(server.pid).children()
    return [child for child in children if f"/{lane}/1/" in " ".join(child.cmdline())]


def metric(server: TritonServer, name: str, lane: str) -> float:
    url = f"http://127.0.0.1:{server.endpoint.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        page = answer.read().decode()
    return sum(map(float, re.findall(rf'^retriton_{name}{{lane="{lane}"}} (\S+)', page, re.MULTILINE)))


async def embed_all(url: str, batch: list[str]) -> list[np.ndarray]:
    limits = Limits(requests_in_flight=64)
    async with AsyncClient(url, limits=limits, timeout_s=60) as many:
        return await asyncio.gather(*(many.embed_queries([text]) for text in batch))


def test_two_processes_share_the_work_and_their_metrics_add_up(two: TritonServer, client: Client) -> None:
    batch = [f"number {n}: {text}" for n, text in enumerate(texts(400, words_max=40, seed=3))]
    lane = processes(two, "embed_query")
    assert len(lane) == 2
    before_s = [process.cpu_times().user for process in lane]
    vectors = np.concatenate(asyncio.run(embed_all(two.endpoint.grpc_url, batch)))
    used_s = [process.cpu_times().user - start for process, start in zip(lane, before_s, strict=True)]
    assert (vectors * client.embed_queries(batch)).sum(1).min() > 0.9999
    assert min(used_s) > 0.1 * max(used_s)
    deadline = time.monotonic() + 10
    while metric(two, "texts_total", "embed_query") < 400 and time.monotonic() < deadline:
        time.sleep(0.2)  # they report once a second
    assert metric(two, "texts_total", "embed_query") == 400
    time.sleep(1.1)
    assert metric(two, "waiting_tokens", "embed_query") == 0


def test_a_probe_sees_each_process(two: TritonServer) -> None:
    with Client(two.endpoint.grpc_url, retry=Retry(attempts_max=1)) as prober:
        prober.check_health(10.0, secret=two.secret)
        stopped, other = processes(two, "embed_passage")
        stopped.suspend()
        started = time.monotonic()
        with pytest.raises(RetritonError):
            prober.check_health(4.0, secret=two.secret)
        assert time.monotonic() - started < 6
        stopped.resume()
        prober.check_health(10.0, secret=two.secret)
        os.kill(other.pid, signal.SIGKILL)
        for _ in range(4):  # whichever process Triton chooses
            with pytest.raises(RetritonError):
                prober.check_health(4.0, secret=two.secret)
    two.stop(grace_s=0.0)  # the killed process would not report that it is drained


def test_a_drain_answers_what_both_have_accepted(two: TritonServer) -> None:
    async def run() -> list[object]:
        limits = Limits(requests_in_flight=64)
        async with AsyncClient(two.endpoint.grpc_url, limits=limits, retry=Retry(attempts_max=1), timeout_s=60) as many:
            sending = [asyncio.create_task(many.embed_passages([text])) for text in texts(64, seed=5)]
            await sending[0]  # others are accepted by now
            await asyncio.to_thread(two.stop)
            return await asyncio.gather(*sending, return_exceptions=True)

    outcomes = asyncio.run(run())
    answered = sum(isinstance(outcome, np.ndarray) for outcome in outcomes)
    refused = sum(isinstance(outcome, RetritonError) and "stopping" in str(outcome) for outcome in outcomes)
    assert answered + refused == 64, outcomes
    assert answered > 0
