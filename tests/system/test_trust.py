"""Behaviour that operators rely on: health that tells the truth, overload, deadlines, recovery, a clean stop."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc.aio as grpc_client

from retriton_client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    Limits,
    Overloaded,
    RetritonError,
    Retry,
    Unavailable,
)
from retriton_serving.launcher import Endpoint, LaunchError, Supervisor, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV

pytestmark = [pytest.mark.triton, pytest.mark.alone]
ONCE = Retry(attempts_max=1)
PASSAGE = "a passage of some length about nothing in particular " * 16


@pytest.fixture
def own(repository: Path) -> Iterator[TritonServer]:
    """A server that may be broken."""
    server = TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free())
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop(grace_s=0.0)  # what is broken does not drain


def is_ready(server: TritonServer) -> bool:
    with urllib.request.urlopen(server.endpoint.ready_url, timeout=5) as answer:
        return bool(answer.status == 200)


@pytest.mark.parametrize("model", ["encoder", "embed_query", "embed_passage"])
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSTOP])
def test_the_probe_fails_where_triton_says_ready(own: TritonServer, model: str, kill: signal.Signals) -> None:
    with Client(own.endpoint.grpc_url) as client:
        assert set(client.check_health()) == {"embed_query", "embed_passage"}
        os.kill(_child(own.pid, f"/{model}/1/model.py"), kill)
        start = time.monotonic()
        with pytest.raises(RetritonError):
            client.check_health(timeout_s=1.0)
        assert time.monotonic() - start < 2.0
    if model == "encoder":
        assert is_ready(own)


async def flood(client: AsyncClient, seconds: float, connections: int = 16) -> list[RetritonError]:
    """Keeps the passage lane busy; returns the errors."""
    errors: list[RetritonError] = []

    async def caller() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                await client.embed_passages([PASSAGE] * 8)
            except RetritonError as error:
                errors.append(error)
                await asyncio.sleep(0.02)

    await asyncio.gather(*(caller() for _ in range(connections)))
    return errors


async def until_busy(url: str, requests: int = 8) -> None:
    """Returns when the encoder has answered micro-batches of passages beyond the first ones, so that some wait."""
    async with grpc_client.InferenceServerClient(url) as triton:
        before = await passages_computed(triton)
        for _ in range(400):
            if await passages_computed(triton) - before >= requests:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the server does not get busy")


async def passages_computed(triton: grpc_client.InferenceServerClient) -> int:
    """How many requests the encoder has answered."""
    statistics = await triton.get_inference_statistics("encoder")
    return int(statistics.model_stats[0].inference_stats.success.count)


async def until_refused(client: AsyncClient) -> None:
    """Returns when a stopping server refuses a query as it should."""
    for _ in range(400):
        try:
            await client.embed_queries(["too late"])
        except Unavailable as error:
            assert "the server is stopping" in str(error)
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the server does not stop")


async def test_queries_and_probes_go_ahead_of_bulk(url: str) -> None:
    """With seconds of passages waiting, a query waits for a micro-batch or two."""
    limits = Limits(requests_in_flight=64)
    async with AsyncClient(url, limits=limits, timeout_s=60) as bulk, AsyncClient(url, timeout_s=60) as client:
        flooding = asyncio.ensure_future(flood(bulk, 4.0))
        await until_busy(url)
        waits = []
        for _ in range(20):
            start = time.monotonic()
            await client.embed_queries(["a short question"])
            waits.append(time.monotonic() - start)
        probe = await client.check_health(timeout_s=3.0)
        start = time.monotonic()
        await client.embed_passages([PASSAGE])
        behind_bulk = time.monotonic() - start
        await flooding
    assert sorted(waits)[10] < behind_bulk / 3
    assert probe["embed_passage"] < behind_bulk * 1000


def small_queue(repository: Path, target: Path) -> Path:
    """The repository with little room in the passage lane."""
    shutil.copytree(repository, target)
    config = target / "embed_passage" / "config.pbtxt"
    text = re.sub(r'("waiting_seconds_max" value: \{ string_value: )"[\d.]+"', r'\1"0.1"', config.read_text())
    text = re.sub(r'("waiting_tokens_min" value: \{ string_value: )"\d+"', r'\1"4096"', text)
    config.write_text(text)
    return target


async def test_overload_is_refused_at_once_whole_and_passes(repository: Path, tmp_path: Path) -> None:
    served = small_queue(repository, tmp_path / "model_repository")
    with TritonServer(TritonWheel(SERVER_ENV), served, Endpoint.free()) as server:
        server.wait_ready()
        async with AsyncClient(server.endpoint.grpc_url, limits=Limits(32, 64), retry=ONCE, timeout_s=60) as client:
            start = time.monotonic()
            outcomes = await asyncio.gather(
                *(client.embed_passages([PASSAGE] * 8) for _ in range(24)), return_exceptions=True
            )
            assert time.monotonic() - start < 60
            refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
            assert 0 < len(refused) < 24
            assert all(isinstance(outcome, Overloaded | np.ndarray) for outcome in outcomes)
            assert refused[0].numbers["waiting_max"] == 4096
            assert (await client.embed_passages([PASSAGE])).shape == (1, 384)  # it is over, and all is well
            assert 'outcome="OVERLOADED"} ' in await metric_page(server, len(refused))


async def metric_page(server: TritonServer, refusals: int) -> str:
    """Triton's metrics, once they count ``refusals``."""
    url = f"http://{server.endpoint.host}:{server.endpoint.metrics_port}/metrics"
    for _ in range(50):
        with urllib.request.urlopen(url, timeout=5) as answer:
            page = answer.read().decode()
        if re.search(rf'outcome="OVERLOADED"}} {refusals}\b', page):
            return page
        await asyncio.sleep(0.1)
    raise AssertionError(page)


async def test_what_nobody_waits_for_is_dropped(own: TritonServer) -> None:
    async with AsyncClient(own.endpoint.grpc_url, limits=Limits(256, 64), retry=ONCE) as client:
        with pytest.raises(DeadlineExceeded):
            await client.embed([PASSAGE] * 256, "passage", timeout_s=0.5)  # several seconds of work
        start = time.monotonic()
        await client.embed_passages(["short"])
        assert time.monotonic() - start < 2.0


@pytest.fixture
def supervised(repository: Path) -> Iterator[tuple[subprocess.Popen[bytes], Endpoint]]:
    """`retriton serve` as a process, ready."""
    endpoint = Endpoint.free()
    ports = {
        "--grpc-port": endpoint.grpc_port,
        "--http-port": endpoint.http_port,
        "--metrics-port": endpoint.metrics_port,
    }
    options = [str(part) for pair in ports.items() for part in pair]
    command = [str(Path(sys.executable).parent / "retriton"), "serve", "--no-gateway", *options]
    command += ["--model-repository", str(repository), "--server-env", str(SERVER_ENV)]
    serving = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until(lambda: healthy(endpoint), 60)
        yield serving, endpoint
    finally:
        serving.terminate()
        serving.wait(60)


def healthy(endpoint: Endpoint) -> bool:
    try:
        with Client(endpoint.grpc_url) as client:
            client.check_health()
    except RetritonError:
        return False
    return True


def until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_broken_encoder_is_replaced_and_callers_can_retry(
    supervised: tuple[subprocess.Popen[bytes], Endpoint], kill: signal.Signals
) -> None:
    endpoint = supervised[1]
    server = next(p for p in Path("/proc").glob("[0-9]*") if _serves(p, endpoint))
    async with AsyncClient(endpoint.grpc_url, limits=Limits(32, 64), retry=ONCE, timeout_s=4) as client:
        flooding = asyncio.ensure_future(flood(client, 6.0))
        await until_busy(endpoint.grpc_url)
        os.kill(_child(int(server.name), "/encoder/1/model.py"), kill)
        errors = await flooding
    assert errors
    assert all(error.retryable or isinstance(error, DeadlineExceeded) for error in errors), errors
    until(lambda: healthy(endpoint), 30)


def _serves(process: Path, endpoint: Endpoint) -> bool:
    try:
        command = (process / "cmdline").read_bytes().decode()
    except OSError:
        return False
    return "tritonserver\0" in command and f"--grpc-port={endpoint.grpc_port}\0" in command


def _child(parent: int, name: str) -> int:
    for child in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in child.read_text().split():
            if name in Path(f"/proc/{pid}/cmdline").read_text():
                return int(pid)
    raise AssertionError(f"{parent} has no child {name}")


def pending_passages(endpoint: Endpoint) -> int:
    """How many requests to the passage lane wait in Triton's own queue."""
    with urllib.request.urlopen(f"http://{endpoint.host}:{endpoint.metrics_port}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    (count,) = re.findall(r'^nv_inference_pending_request_count\{model="embed_passage",.*\} (\d+)', page, re.MULTILINE)
    return int(count)


async def test_a_stop_finishes_what_was_accepted(supervised: tuple[subprocess.Popen[bytes], Endpoint]) -> None:
    serving, endpoint = supervised
    async with AsyncClient(endpoint.grpc_url, limits=Limits(8, 64), retry=ONCE, timeout_s=60) as client:
        accepted = [asyncio.ensure_future(client.embed_passages([PASSAGE] * 8)) for _ in range(48)]
        await until_busy(endpoint.grpc_url)
        await asyncio.to_thread(until, lambda: not pending_passages(endpoint), 20)  # the lane has accepted them all
        serving.send_signal(signal.SIGTERM)
        await until_refused(client)
        assert [vectors.shape for vectors in await asyncio.gather(*accepted)] == [(8, 384)] * 48
    assert serving.wait(30) == 0


def test_a_server_that_never_gets_healthy_is_given_up(repository: Path, tmp_path: Path) -> None:
    broken = tmp_path / "model_repository"
    shutil.copytree(repository, broken)
    model = broken / "encoder" / "1" / "model.onnx"
    model.write_bytes(b"\0" * model.stat().st_size)  # only the server itself notices
    starts = []

    def start() -> TritonServer:
        starts.append(TritonServer(TritonWheel(SERVER_ENV), broken, Endpoint.free()))
        return starts[-1]

    supervisor = Supervisor(start, on_ready=lambda server: None)
    with pytest.raises(LaunchError):
        supervisor.run()
    assert len(starts) == 1
    starts[0].stop()


def test_another_backend_than_the_one_asked_for_is_refused(repository: Path, tmp_path: Path) -> None:
    """Triton falls back to config.pbtxt without a word where it does not find a variant."""
    with pytest.raises(LaunchError, match="variants of the encoder are .*openvino_cpu, python_gpu, tensorrt"):
        TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free(), variant="tensor_rt")
    other = tmp_path / "model_repository"
    shutil.copytree(repository, other)
    variant = other / "encoder" / "configs" / "tensorrt.pbtxt"
    with_python = (other / "encoder" / "config.pbtxt").read_text()
    asked_for = variant.read_text()
    variant.write_text(with_python)
    with TritonServer(TritonWheel(SERVER_ENV), other, Endpoint.free(), variant="tensorrt") as server:
        server.wait_ready()
        variant.write_text(asked_for)
        with pytest.raises(LaunchError, match="with its backend python, .* asks for tensorrt"):
            server.wait_ready()
