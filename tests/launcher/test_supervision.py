"""`retriton serve` when its processes are killed, and when it is killed itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from retriton_client import Client, RetritonError, Retry
from retriton_serving.launcher import SHARED_MEMORY, Endpoint, TritonServer, scratch
from tests.conftest import SERVER_ENV
from tests.launcher.serve_command import COMMAND
from tests.launcher.test_process import until

pytestmark = pytest.mark.triton
SECRET = "very-secret"


@pytest.fixture
def serve(repository: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Endpoint]]:
    """`retriton serve`; the reader of its output is gone once it serves, as in `retriton serve | grep -m1 serving`."""
    endpoint = Endpoint.free()
    ports = {"grpc": endpoint.grpc_port, "http": endpoint.http_port, "metrics": endpoint.metrics_port}
    command = [COMMAND, "serve", "--no-gateway", "--model-repository", str(repository), "--server-env", str(SERVER_ENV)]
    command += [part for name, value in ports.items() for part in (f"--{name}-port", str(value))]
    environ = {**os.environ, "TMPDIR": str(tmp_path), "RETRITON_LLM_API_KEY": SECRET, "SOME_PASSWORD": SECRET}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stderr
    assert any(line.startswith(b"serving") for line in process.stderr)  # what dies earlier ends the command
    process.stderr.close()
    until(lambda: answers(endpoint), 60)
    yield process, endpoint
    process.terminate()
    process.wait(60)


def answers(endpoint: Endpoint) -> bool:
    try:
        with Client(endpoint.grpc_url, retry=Retry(attempts_max=1), timeout_s=2) as client:
            client.check_health(rerank=False)
            client.reranker_info()
    except RetritonError:
        return False
    return True


def triton(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    children = psutil.Process(process.pid).children()
    return next((child for child in children if child.is_running() and child.name() == "tritonserver"), None)


def stub(server: psutil.Process, model: str) -> psutil.Process:
    """The process of a model; there is none for one that was killed."""
    living = (child for child in server.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE)
    return next(child for child in living if f"/{model}/1/model.py" in " ".join(child.cmdline()))


def family(process: subprocess.Popen[bytes]) -> tuple[psutil.Process, list[psutil.Process]]:
    """Triton, and Triton with the processes of its models."""
    server = triton(process)
    assert server
    return server, [server, *server.children(recursive=True)]


def replaced(process: subprocess.Popen[bytes], before: psutil.Process, endpoint: Endpoint) -> bool:
    return triton(process) not in (None, before) and answers(endpoint)


def test_what_is_dead_is_replaced_and_nothing_is_left(
    serve: tuple[subprocess.Popen[bytes], Endpoint], tmp_path: Path
) -> None:
    process, endpoint = serve
    first, everything = family(process)
    assert all(SECRET not in found.environ().values() for found in everything)

    unused = stub(first, "rerank"), stub(first, "cross_encoder")  # no cross-encoder is installed
    for each in unused:
        each.kill()
    info = stub(first, "encoder_info")
    info.kill()
    until(lambda: replaced(process, first, endpoint), 60)
    second = triton(process)
    assert second
    stub(second, "rerank").send_signal(signal.SIGSTOP)
    stub(second, "encoder_info").send_signal(signal.SIGSTOP)
    until(lambda: replaced(process, second, endpoint), 60)

    _, everything = family(process)
    (folder,) = tmp_path.glob("retriton-serve-*")
    prefix = (folder / "lock").read_text()
    process.kill()
    process.wait(10)
    psutil.wait_procs(everything, 20)
    assert [found for found in everything if found.is_running()] == []
    assert list(SHARED_MEMORY.glob(f"{prefix}*"))
    scratch.sweep_folder(folder)
    assert not folder.exists()
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))


def test_no_request_can_carry_the_header_of_the_admin_protocols(server: TritonServer) -> None:
    """The header is on the command line, for everyone to read."""
    command = " ".join(psutil.Process(server.pid).cmdline())
    name, value = command.split("--http-restricted-api=")[1].split(" --")[0].split(":", 1)[1].split("=")
    assert "\n" in name
    assert "\n" in value
    for header in (f"{name}: {value}", f"{name.strip()}: {value.strip()}", f"{name.strip()}: {value.strip()}\r\n "):
        with socket.create_connection(("127.0.0.1", server.endpoint.http_port), timeout=10) as connection:
            request = f"POST /v2/repository/index HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(request.encode())
            assert b" 200 " not in connection.recv(4096)


def test_a_second_ctrl_c_stops_at_once_and_leaves_nothing(
    serve: tuple[subprocess.Popen[bytes], Endpoint], tmp_path: Path
) -> None:
    process, _ = serve
    server, everything = family(process)
    (folder,) = tmp_path.glob("retriton-serve-*")
    stub(server, "embed_passage").send_signal(signal.SIGSTOP)  # it does not drain
    process.send_signal(signal.SIGINT)
    until((folder / "drain").exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    psutil.wait_procs(everything, 10)
    assert [found for found in everything if found.is_running()] == []
    assert not folder.exists()
