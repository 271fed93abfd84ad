"""Triton and the gateway beside each other: the end of one does not touch the other."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from retriton_client import Client
from tests.launcher.serve_command import serving, until_ready
from tests.launcher.test_process import until

pytestmark = pytest.mark.triton


def child(process: subprocess.Popen[bytes], word: str) -> psutil.Process:
    """The child that has a word in its command line."""
    (found,) = [child for child in psutil.Process(process.pid).children() if word in " ".join(child.cmdline())]
    return found


def test_a_gateway_that_cannot_start_leaves_triton_alone(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    missing = str(tmp_path / "no-such-keys")
    with serving(repository, tmp_path, RETRITON_API_KEYS_FILE=missing) as (process, endpoint, _):
        until(lambda: "serving" in log.read_text(), 60)
        triton = child(process, "tritonserver")
        until(lambda: "the gateway fails to start" in log.read_text(), 60)
        assert process.poll() is None
        assert child(process, "tritonserver") == triton
        with Client(endpoint.grpc_url) as client:
            assert client.embed_queries(["hello"]).shape == (1, 384)
    text = log.read_text()
    assert text.count("the gateway fails to start") == 1
    assert "Triton keeps serving gRPC" in text
    assert missing in text
    assert "starting the server again" not in text


def test_a_dead_triton_leaves_the_gateway_alone(repository: Path, tmp_path: Path) -> None:
    with serving(repository, tmp_path) as (process, _, address):
        until_ready(address)
        gateway, triton = child(process, " gateway "), child(process, "tritonserver")
        os.kill(triton.pid, signal.SIGKILL)
        until(lambda: (tmp_path / "serve.log").read_text().count("until Ctrl-C") == 2, 60)
        until_ready(address)
        assert child(process, " gateway ") == gateway
        assert child(process, "tritonserver") != triton
