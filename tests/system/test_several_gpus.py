"""The engine `torch` on two devices in a real Triton: devices of the CPU stand for GPUs, and one of them fails."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from retriton_client import Client
from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from retriton_serving.launcher.probe import Probe
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert
from tests.torch_server_env import with_torch

pytestmark = [pytest.mark.triton, pytest.mark.slow]

# In place of the encoder's own model.py: the second device fails as soon as a file exists.
_UNPLUGGED = """
from pathlib import Path
from retriton_serving.triton import encoder

load_engine = encoder.load_engine

def load(folder, artefact):
    engine = load_engine(folder, artefact)
    worker = engine.worker

    def unreliable(device=0, for_queries=False):
        compute = worker(device, for_queries)

        def compute_or_fail(feed):
            if device == 1 and Path({switch!r}).exists():
                raise RuntimeError("CUDA error: device is lost")
            return compute(feed)

        return compute_or_fail

    engine.worker = unreliable
    return engine

encoder.load_engine = load
TritonPythonModel = encoder.TritonPythonModel
"""


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that makes the second device fail."""
    return tmp_path_factory.mktemp("switch") / "unplugged"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, switch: Path) -> Iterator[TritonServer]:
    folder = tmp_path_factory.mktemp("several-gpus")
    repository = copy_repository(folder / "model_repository")
    export_encoder(Checkpoint.read(str(tiny_bert(folder / "tiny"))), repository, Recipe("torch", "bf16"))
    (repository / "encoder/1/model.py").write_text(_UNPLUGGED.format(switch=str(switch)))
    triton = TritonWheel(with_torch(SERVER_ENV, folder / "server"))
    environ = {"RETRITON_DEVICES": "cpu:0,cpu:1", "RETRITON_QUERY_CACHE_MB": "0"}
    with (folder / "triton.log").open("wb") as log:
        with TritonServer(triton, repository, Endpoint.free(), log, "python_gpu", environ=environ) as running:
            running.wait_ready(timeout_s=200)
            yield running


def devices(server: TritonServer) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.endpoint.metrics_port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    found = [line.rsplit(" ", 1) for line in lines if line.startswith('retriton_devices{model="encoder"')]
    return {name.split('state="')[1].split('"')[0]: float(value) for name, value in found}


def test_one_of_two_devices_fails_and_nothing_is_lost(server: TritonServer, switch: Path) -> None:
    texts = [f"{letter} {number}" for letter in "abcdefgh" for number in range(40)]
    with Client(server.endpoint.grpc_url, timeout_s=60) as client:
        wanted = client.embed_passages(texts)
        assert client.device_problems() == ""
        assert devices(server) == {"working": 2, "failed": 0}
        switch.touch()
        deadline = time.monotonic() + 30
        while not client.device_problems():
            assert time.monotonic() < deadline
            np.testing.assert_allclose(client.embed_passages(texts), wanted, atol=0.02)
        problem = "encoder: 1 of 2 devices compute: cpu:1 failed (RuntimeError: CUDA error: device is lost)"
        assert client.device_problems() == problem
        np.testing.assert_allclose(client.embed_passages(texts), wanted, atol=0.02)
    assert devices(server) == {"working": 1, "failed": 1}
    health = Path(sys.executable).with_name("retriton-health")
    command = [str(health), server.endpoint.grpc_url, "--timeout", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == f"degraded: {problem}"
    with Probe(server.endpoint.grpc_url, server.models, secret=server.secret) as probe:
        probe.check()
        probe.compare()
