"""Health of the gateway and its dependencies."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from tests.gateway.conftest import running

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
EMBED = {"input": "hello", "model": "query"}


def test_readiness_names_the_dependency_that_fails(url: str, tmp_path: Path) -> None:
    with running("127.0.0.1:9", tmp_path) as gateway, gateway.client() as http:
        assert http.get("/v1/health/live").status_code == 200
        ready = http.get("/v1/health/ready")
        assert ready.status_code == 503
        parts = {name: part["healthy"] for name, part in ready.json()["parts"].items()}
        assert parts == {"triton": False, "milvus": True, "llm": True}
        assert http.get("/v1/health/ready", params={"part": ["milvus", "llm"]}).status_code == 200
        refused = http.post("/v1/embeddings", json=EMBED)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert "127.0.0.1:9" not in refused.text
    (tmp_path / "other").mkdir()
    options = ("--llm-url", "http://127.0.0.1:9/v1", "--milvus", "http://127.0.0.1:9")
    with running(url, tmp_path / "other", *options) as gateway, gateway.client() as http:
        parts = {name: part["healthy"] for name, part in http.get("/v1/health/ready").json()["parts"].items()}
        assert parts == {"triton": True, "milvus": False, "llm": False}


def test_probes_with_head_share_a_connection_that_is_kept_as_long_as_set(tmp_path: Path) -> None:
    with running("127.0.0.1:9", tmp_path, "--keep-alive", "1") as gateway:
        host, port = gateway.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = b"HEAD /v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
            answers = []
            for _ in range(2):
                connection.sendall(head)
                answers.append(connection.recv(4096))
            started_s = time.monotonic()
            assert connection.recv(4096) == b""
            assert 0.5 < time.monotonic() - started_s < 5
        assert all(answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\n") for answer in answers)
