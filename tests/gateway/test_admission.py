"""Admission of requests: limits, deadlines, disconnects, and shutdown."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriton_pipeline.errors import StoreError
from retriton_pipeline.store import Store
from tests.chat_endpoint import Says
from tests.gateway.conftest import SAMPLES, Gateway, error, metric, running, until, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
EMBED = {"input": "hello", "model": "query"}
BULK = {"input": ["many words of a passage " * 40] * 64, "model": "passage"}
ENDLESS = Says(("on and on ",) * 2000, gap_s=0.02)
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Why are there two lanes?"}]}


def test_a_large_body_is_rejected_with_and_without_content_length(gateway: Gateway, http: httpx.Client) -> None:
    too_much = b"x" * (16 * 1024 * 1024 + 1)
    refused = http.post("/v1/embeddings", content=too_much)
    assert refused.status_code == 413
    assert str(16 * 1024 * 1024) in error(refused)["message"]
    chunks = (too_much[first : first + 65536] for first in range(0, len(too_much), 65536))
    # On a connection of its own: the gateway closes the first one when it has discarded as much as it discards.
    with gateway.client() as other, suppress(httpx.WriteError, httpx.ReadError):  # it may have stopped listening
        assert other.post("/v1/embeddings", content=chunks).status_code == 413
    assert metric(http, 'retriton_gateway_rejected_total{reason="too_large"}') >= 2


def test_the_limit_of_uploads_does_not_apply_to_other_routes(http: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert http.post("/v1/embeddings", content=b"x" * (16 * 1024 * 1024 + 1), headers=headers).status_code == 413


def test_requests_have_an_id_and_are_logged_without_secrets(gateway: Gateway, http: httpx.Client) -> None:
    named = http.post("/v1/embeddings", json={**EMBED, "input": "a-secret-text"}, headers={"X-Request-ID": "my-7"})
    assert named.headers["X-Request-ID"] == "my-7"
    other = http.post("/v1/embeddings", json=EMBED, headers={"X-Request-ID": 'a b"'}).headers["X-Request-ID"]
    assert len(other) == 32
    until(lambda: any(line.get("request_id") == other for line in gateway.log_lines()))
    line = next(line for line in gateway.log_lines() if line.get("request_id") == "my-7")
    assert (line["route"], line["status"], line["key"]) == ("/v1/embeddings", 200, "tests")
    text = gateway.log.read_text()
    assert gateway.key not in text
    assert "a-secret-text" not in text


def test_a_deadline_ends_in_504(http: httpx.Client) -> None:
    before = metric(http, 'retriton_gateway_rejected_total{reason="deadline"}')
    refused = http.post("/v1/embeddings", json={**BULK, "truncate": "END"}, headers={"X-Request-Timeout-Ms": "20"})
    assert refused.status_code == 504
    assert error(refused)["code"] == "deadline_exceeded"
    assert metric(http, 'retriton_gateway_rejected_total{reason="deadline"}') == before + 1
    assert http.post("/v1/embeddings", json=EMBED, headers={"X-Request-Timeout-Ms": "soon"}).status_code == 400


def test_requests_beyond_the_limit_are_rejected_at_once(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, "--requests", "1", llm=ENDLESS) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        with http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if "on and on" in line)
            refused = http.post("/v1/embeddings", json=EMBED)
            assert refused.status_code == 429
            assert refused.headers["Retry-After"] == "1"
            assert "1 requests are in progress, the limit is 1" in error(refused)["message"]
            assert http.get("/v1/health/live").status_code == 200
        until(lambda: http.post("/v1/embeddings", json=EMBED).status_code == 200)
        assert gateway.llm.left.wait(5)  # the disconnect reaches the LLM


async def test_an_overloaded_lane_is_reported_with_retry_after(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.key}", "X-Request-Timeout-Ms": "2500"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30, trust_env=False) as http:
        bodies = [{**BULK, "input": [f"{number} {text}" for text in BULK["input"]]} for number in range(64)]
        answers = await asyncio.gather(
            *(http.post("/v1/embeddings", json={**body, "truncate": "END"}) for body in bodies)
        )
        assert {answer.status_code for answer in answers} <= {200, 429, 504}
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert all(answer.headers["Retry-After"] == "1" and error(answer)["code"] == "overloaded" for answer in refused)
    with gateway.client() as client:
        until(lambda: client.post("/v1/embeddings", json=EMBED).status_code == 200)


@contextmanager
def sent(gateway: Gateway, path: str, body: dict[str, Any]) -> Iterator[None]:
    """A request whose caller closes the connection after the block."""
    content = json.dumps(body).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as caller:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.key}\r\n"
        head += "Content-Type: application/json\r\n"
        caller.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        yield


def test_a_disconnect_cancels_the_embedding(gateway: Gateway, http: httpx.Client) -> None:
    before = metric(http, 'retriton_gateway_rejected_total{reason="disconnected"}')
    with sent(gateway, "/v1/embeddings", {**BULK, "input": BULK["input"] * 8, "truncate": "END"}):
        until(lambda: metric(http, "retriton_gateway_in_flight ") >= 2)
    start = time.monotonic()
    until(lambda: metric(http, 'retriton_gateway_rejected_total{reason="disconnected"}') == before + 1)
    until(lambda: http.post("/v1/embeddings", json={**EMBED, "model": "passage"}).status_code == 200)
    assert time.monotonic() - start < 2  # embedding all 512 passages takes longer


def test_a_disconnect_cancels_the_rewriting_of_the_question(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, llm=ENDLESS) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        history = [{"role": "user", "content": "Tell me about lanes."}]
        with sent(gateway, "/v1/retrieve", {"query": "Why two?", "history": history}):
            until(lambda: bool(gateway.llm.asked), 60)
        assert gateway.llm.left.wait(5)


def test_shutdown_completes_the_responses_that_have_started(url: str, tmp_path: Path) -> None:
    slow = Says(("a ",) * 60, gap_s=0.03)
    with running(url, tmp_path, llm=slow) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        with http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway.process.send_signal(signal.SIGTERM)
            until(lambda: not is_listening(gateway))
            rest = list(lines)
        assert rest[-2] == "data: [DONE]"
        assert sum('"content":"a "' in line for line in rest) == 60
        assert gateway.process.wait(10) == 0


def test_an_invalid_timeout_is_rejected(http: httpx.Client) -> None:
    odd = {"X-Request-Timeout-Ms": "9" * 5000}
    assert http.post("/v1/embeddings", json=EMBED, headers=odd).status_code == 400


def test_a_request_that_times_out_while_milvus_lite_opens_releases_the_file(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path) as gateway, gateway.client() as http:
        for path, body in (("/v1/collections", None), ("/v1/retrieve", {"query": "lanes"})):
            answer = http.request("POST" if body else "GET", path, json=body, headers={"X-Request-Timeout-Ms": "1"})
            assert answer.status_code in (200, 404, 504)
        until(lambda: can_be_opened(tmp_path / "milvus.db"))


def is_listening(gateway: Gateway) -> bool:
    with gateway.client() as client:
        try:
            client.get("/v1/health/live")
        except httpx.TransportError:  # refused, or reset while the socket is closed
            return False
    return True


def can_be_opened(file: Path) -> bool:
    try:
        Store(str(file), "documents").close()
    except StoreError:
        return False
    return True
