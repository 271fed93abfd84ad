"""A base install, and the server's environment, on each supported version of Python that this machine has."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from retriton.commands import COMMANDS
from retriton_client import AsyncClient
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import ROOT
from tests.packaging.interpreters import ENVIRONMENTS, each_version, find

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
COMMAND = Path(sys.executable).with_name("retriton")
TEXTS = [f"text number {number}" for number in range(100)]


INSTALL_S_MAX = 900  # it may download some hundred megabytes


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user would, outside of this tree and its variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RETRITON_", "PYTHONPATH"))}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=INSTALL_S_MAX)


def base_install(version: str, wheel: Path) -> Path:
    """An environment with the wheel and what it requires; it is made once for each content of the wheel."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    environment = ENVIRONMENTS / f"base-{version}"
    marker = environment / "wheel.sha256"
    if not (marker.exists() and marker.read_text() == digest):
        python = environment / "bin" / "python"
        if not marker.exists():
            run(find(version), "-m", "venv", "--clear", environment).check_returncode()
        installed = run(python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", wheel)
        assert installed.returncode == 0, installed.stderr
        installed = run(python, "-m", "pip", "install", "--quiet", wheel)
        assert installed.returncode == 0, installed.stderr
        marker.write_text(digest)
    return environment


@each_version
def test_a_base_install_names_the_extra_that_a_command_needs(version: str, wheel: Path, tmp_path: Path) -> None:
    find(version)
    retriton = base_install(version, wheel) / "bin" / "retriton"
    shown = run(retriton, "--help", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    for name, command in COMMANDS.items():
        assert name in shown.stdout
        refused = run(retriton, name, "x", cwd=tmp_path)
        assert refused.returncode == 2, name
        assert f"pip install 'retriton[{command.extra}]'" in refused.stderr
        assert "Traceback" not in refused.stderr


@each_version
def test_a_base_install_has_the_client(version: str, wheel: Path, tmp_path: Path) -> None:
    find(version)
    python = base_install(version, wheel) / "bin" / "python"
    done = run(python, "-c", "from retriton import AsyncClient, Client", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.triton
@each_version
def test_the_server_runs_on(version: str, repository: Path, tmp_path: Path) -> None:
    environment = ENVIRONMENTS / f"server-{version}"
    options = ("--server-env", environment, "--python", find(version), "--constraint", ROOT / "constraints.txt")
    created = subprocess.run([COMMAND, "setup", *options], capture_output=True, text=True, timeout=INSTALL_S_MAX)
    assert created.returncode == 0, created.stderr
    with (tmp_path / "triton.log").open("wb") as log:
        server = TritonServer(TritonWheel(environment), repository, Endpoint.free(), log)
        with server:
            server.wait_ready()
            asyncio.run(_use(server.endpoint.grpc_url))


async def _use(url: str) -> None:
    """Asks all lanes at the same time, and then for many vectors at the same time."""
    async with AsyncClient(url, timeout_s=60) as client:
        assert set(await client.check_health(timeout_s=20)) == {"embed_query", "embed_passage"}
        requests = [
            client.embed_queries([text]) if text[-1] in "02468" else client.embed_passages([text]) for text in TEXTS
        ]
        vectors = await asyncio.gather(*requests)
        assert {vector.shape for vector in vectors} == {(1, vectors[0].shape[1])}
        assert set(await client.check_health(timeout_s=20)) == {"embed_query", "embed_passage"}
