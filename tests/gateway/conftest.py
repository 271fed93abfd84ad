"""A gateway as `retriton gateway` runs it, in front of the session's Triton, Milvus Lite, and a scripted LLM."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from retriton_pipeline.gateway import new_key
from retriton_serving.launcher import free_ports
from tests.chat_endpoint import ChatEndpoint, Says, chat_endpoint
from tests.conftest import ROOT
from tests.gateway.clients.environment import tiny_triton

COMMAND = str(Path(sys.executable).parent / "retriton")
SAMPLES = sorted((ROOT / "docs" / "samples").iterdir())
ANSWER = Says(
    ("Two lanes ", "keep queries fast [1]", "."),
    usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
)


@dataclass(frozen=True)
class Gateway:
    """A running gateway.

    Attributes:
        url: its base address.
        key: a valid API key.
        log: its log file.
        process: its process.
        keys_file: the file of its API keys.
        llm: its LLM endpoint.
    """

    url: str
    key: str
    log: Path
    process: subprocess.Popen[bytes]
    keys_file: Path
    llm: ChatEndpoint

    def client(self, key: str | None = None, timeout_s: float = 60) -> httpx.Client:
        """An HTTP client with an API key; the default is a valid one."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False)

    def log_lines(self) -> list[dict[str, object]]:
        """The JSON records of its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextmanager
def running(triton: str, folder: Path, *options: str, llm: Says = ANSWER, **environ: str) -> Iterator[Gateway]:
    """Starts a gateway, and stops it."""
    key, line = new_key("tests")
    keys_file = folder / "keys"
    keys_file.write_text(f"# API keys\n{line}\n")
    (port,) = free_ports(1)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RETRITON_", "OTEL_"))}
    with chat_endpoint(llm) as endpoint, (folder / "gateway.log").open("wb") as log:
        command = [COMMAND, "gateway", "--url", triton, "--port", str(port), "--milvus", str(folder / "milvus.db")]
        command += ["--api-keys", str(keys_file), "--llm-url", endpoint.url, "--llm-model", "m", *options]
        process = subprocess.Popen(command, env={**clean, **environ}, stdout=log, stderr=log, cwd=folder)
        scheme = "https" if "--tls-cert" in options else "http"
        url = f"{scheme}://127.0.0.1:{port}"
        try:
            _wait_for(port, process, folder / "gateway.log")
            yield Gateway(url, key, folder / "gateway.log", process, keys_file, endpoint)
        finally:
            process.terminate()
            process.wait(40)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    pytest.fail(f"the gateway did not start:\n{log.read_text()[-2000:]}")


def error(answer: httpx.Response) -> dict[str, str]:
    """The error of a response, which has all its fields and no internals."""
    found: dict[str, str] = answer.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert "Traceback" not in answer.text
    return found


def metric(http: httpx.Client, line: str) -> float:
    """The sum of the metrics whose line starts with ``line``."""
    lines = http.get("/v1/metrics").text.splitlines()
    return sum(float(text.rsplit(" ", 1)[1]) for text in lines if text.startswith(line))


def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    """Waits until a condition of another process holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="session")
def gateway(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for tests that do not change it; its collection `documents` has the sample documents."""
    with running(url, tmp_path_factory.mktemp("gateway")) as started:
        with started.client() as http:
            assert upload(http, "documents", SAMPLES)["state"] == "succeeded"
        yield started


@pytest.fixture(scope="package")
def tiny_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tiny_triton(tmp_path_factory.mktemp("tiny")) as url:
        yield url


@pytest.fixture(scope="package")
def tiny(tiny_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for an encoder with prompts, which also has the documentation's name, and a cross-encoder."""
    with running(tiny_url, tmp_path_factory.mktemp("tiny-gateway"), "--alias", "all-MiniLM-L6-v2") as started:
        yield started


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of `gateway` with its API key."""
    with gateway.client() as client:
        yield client


def upload(http: httpx.Client, collection: str, files: list[Path]) -> dict[str, object]:
    """Uploads files, and waits until they are ingested."""
    parts = [("files", (file.name, file.read_bytes())) for file in files]
    answer = http.post(f"/v1/collections/{collection}/documents", files=parts)
    assert answer.status_code == 202, answer.text
    return wait_for_job(http, answer.json()["id"])


def wait_for_job(http: httpx.Client, job_id: str, timeout_s: float = 60) -> dict[str, object]:
    """The job, once it is finished."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        job: dict[str, object] = http.get(f"/v1/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.1)
    raise AssertionError(f"the job is not finished after {timeout_s} s: {job}")
