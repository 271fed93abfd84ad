"""A real server and a real store for the whole session, started and stopped here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from retriton_client import Client, EncoderInfo
from retriton_pipeline.store import Store
from retriton_pipeline.tokens import TokenCounter
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

ROOT = Path(__file__).parent.parent
if "PYTEST_XDIST_WORKER" in os.environ:  # one core for each worker: two thread pools on two cores wait for each other
    os.environ["OMP_NUM_THREADS"] = "1"
SERVER_ENV = ROOT / ".venv-server"

LONG_MODULES = ("system/test_kill", "system/test_command_line", "system/", "gateway/", "export/", "packaging/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first, so that both workers end at about the same time."""

    def place(item: pytest.Item) -> int:
        name = item.nodeid.removeprefix("tests/")
        return next((n for n, module in enumerate(LONG_MODULES) if name.startswith(module)), len(LONG_MODULES))

    items.sort(key=place)


def copy_repository(target: Path) -> Path:
    """The sources of the model repository, without the artefacts installed in them."""
    shutil.copytree(ROOT / "model_repository", target, ignore=lambda folder, names: _installed(Path(folder), names))
    return target


def _installed(folder: Path, names: list[str]) -> list[str]:
    return [name for name in names if folder.name == "1" and name != "model.py"]


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with all-MiniLM-L6-v2 exported into it."""
    target = copy_repository(tmp_path_factory.mktemp("served") / "model_repository")
    shutil.copytree(ROOT / "model_repository" / "encoder" / "1", target / "encoder" / "1", dirs_exist_ok=True)
    from retriton_export import Checkpoint, export_encoder  # PyTorch takes seconds to import

    export_encoder(Checkpoint.read(), target)
    return target


@pytest.fixture(scope="session")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """Triton serving `repository` on free ports."""
    log_file = tmp_path_factory.mktemp("triton") / "triton.log"
    with log_file.open("wb") as log, TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free(), log) as running:
        running.wait_ready()
        yield running


@pytest.fixture(scope="session")
def url(server: TritonServer) -> str:
    """The gRPC address of `server`."""
    return server.endpoint.grpc_url


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[Client]:
    """A client of `server`."""
    with Client(url, timeout_s=60) as connected:
        yield connected


@pytest.fixture(scope="session")
def encoder(client: Client) -> EncoderInfo:
    """What `server` serves."""
    return client.encoder_info()


@pytest.fixture(scope="session")
def counter(encoder: EncoderInfo) -> TokenCounter:
    """The served tokenizer."""
    return TokenCounter(encoder)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty Milvus Lite file."""
    opened = Store(str(tmp_path / "milvus.db"), "documents")
    yield opened
    opened.close()
