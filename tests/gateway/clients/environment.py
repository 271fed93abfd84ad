"""That environment, and what tests of clients share: a second Triton, with a tiny encoder and cross-encoder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import ROOT, SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert, tiny_cross_encoder

SCRIPTS = Path(__file__).parent
_QUIET = {
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NVIDIA_USAGE_TELEMETRY_ENABLED": "0",
}
_OFFLINE = {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "NO_PROXY": "127.0.0.1"}


def run_client(
    program: str,
    *arguments: str,
    folder: Path,
    environment: str = ".venv-clients",
    timeout_s: float = 120,
    **environ: str,
) -> str:
    """What the program prints; a test that cannot run it, or whose program fails, fails with all of it."""
    path = ROOT / environment / "bin" / program
    if not path.exists():
        pytest.fail(f"there is no {path}: `make test` installs it")
    inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}  # of these tests alone
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        env={**inherited, **_QUIET, **_OFFLINE, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def tiny_triton(folder: Path) -> Iterator[str]:
    """The gRPC address of a server with a `tiny` encoder, which has prompts, and with `tiny-cross-encoder`."""
    repository, recipe = copy_repository(folder / "model_repository"), Recipe("openvino", "fp32")
    encoder = tiny_bert(folder / "tiny", prompts={"query": "q: ", "passage": "p: "}, max_tokens=64)
    for checkpoint in (encoder, tiny_cross_encoder(folder / "tiny-cross-encoder")):
        export_encoder(Checkpoint.read(str(checkpoint)), repository, recipe)
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        yield server.endpoint.grpc_url
