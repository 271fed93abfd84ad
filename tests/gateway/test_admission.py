"""What every request passes: keys, bounds, deadlines, and callers who leave."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from retriton_pipeline.gateway import new_key
from retriton_pipeline.store import Store
from tests.chat_endpoint import Says
from tests.gateway.conftest import SAMPLES, Gateway, running, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
EMBED = {"input": "hello", "model": "query"}
BULK = {"input": ["many words of a passage " * 40] * 64, "model": "passage"}
ON_AND_ON = Says(("on and on ",) * 2000, gap_s=0.02)
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Why are there two lanes?"}]}


def error(answer: httpx.Response) -> dict[str, str]:
    found: dict[str, str] = answer.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert "Traceback" not in answer.text
    return found


def metric(http: httpx.Client, line: str) -> float:
    """The value behind the beginning of a line of the metrics page."""
    lines = http.get("/v1/metrics").text.splitlines()
    return sum(float(text.rsplit(" ", 1)[1]) for text in lines if text.startswith(line))


def until(condition: object, timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("key", ["none", "rt-wrong"])
def test_without_a_valid_key_only_health_metrics_and_the_page_are_open(gateway: Gateway, key: str) -> None:
    with gateway.client(key) as http:
        refused = http.post("/v1/embeddings", json=EMBED)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert error(refused)["code"] == "invalid_api_key"
        for path in ("/v1/models", "/v1/jobs", "/v1/collections", "/v2/nvcf/pexec/status/" + "0" * 32):
            assert http.get(path).status_code == 401
        for path in ("/v1/health/live", "/v1/health/ready", "/v1/metrics", "/openapi.json", "/", "/static/base.css"):
            assert http.get(path).status_code == 200, path


def test_keys_rotate_without_a_restart(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path) as gateway:
        key, line = new_key("next")
        with gateway.client(key) as http, gateway.client() as before:
            assert http.post("/v1/embeddings", json=EMBED).status_code == 401
            gateway.keys_file.write_text(line)
            until(lambda: http.post("/v1/embeddings", json=EMBED).status_code == 200)
            assert before.post("/v1/embeddings", json=EMBED).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"input": "a", ', 400, "not JSON"),
        (b"\xff\xfe", 400, ""),
        (b"[]", 422, "the body"),
        (b"", 422, "the body"),
        (
            json.dumps({"input": "word " * 400, "model": "query"}).encode(),
            400,
            "402 tokens, the encoder takes at most 256",
        ),
        (json.dumps({**EMBED, "model": "gpt"}).encode(), 404, "no model 'gpt'"),
        (json.dumps({**EMBED, "input_type": "passage"}).encode(), 400, "says query, and input_type says passage"),
        (json.dumps({**EMBED, "truncate": "MIDDLE"}).encode(), 422, "truncate"),
        (json.dumps({**EMBED, "dimensions": 5000}).encode(), 400, "5000"),
        (json.dumps({**EMBED, "dimensions": 10**30}).encode(), 422, "dimensions"),
        (json.dumps({**EMBED, "input": ["a", " "]}).encode(), 422, "input.1"),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(http: httpx.Client, body: bytes, status: int, message: str) -> None:
    answer = http.post("/v1/embeddings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert message in error(answer)["message"]


def test_wrong_addresses(http: httpx.Client) -> None:
    assert error(http.get("/v1/nothing"))["code"] == "not_found"
    refused = http.get("/v1/embeddings")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert error(refused)["code"] == "method_not_allowed"
    assert http.get("/static/../keys.py").status_code == http.get("/static/%2e%2e/keys.py").status_code == 404


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(gateway: Gateway, http: httpx.Client) -> None:
    too_much = b"x" * (16 * 1024 * 1024 + 1)
    refused = http.post("/v1/embeddings", content=too_much)
    assert refused.status_code == 413
    assert str(16 * 1024 * 1024) in error(refused)["message"]
    chunks = (too_much[first : first + 65536] for first in range(0, len(too_much), 65536))
    with suppress(httpx.WriteError, httpx.ReadError):  # it may have stopped listening
        assert http.post("/v1/embeddings", content=chunks).status_code == 413
    assert metric(http, 'retriton_gateway_rejected_total{reason="too_large"}') >= 2


def test_requests_are_named_and_logged_without_secrets(gateway: Gateway, http: httpx.Client) -> None:
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


def test_more_requests_than_there_is_room_for_are_refused_at_once(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, "--requests", "1", llm=ON_AND_ON) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        with http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if "on and on" in line)
            refused = http.post("/v1/embeddings", json=EMBED)
            assert refused.status_code == 429
            assert refused.headers["Retry-After"] == "1"
            assert "1 requests are under way, at most 1" in error(refused)["message"]
            assert http.get("/v1/health/live").status_code == 200
        until(lambda: http.post("/v1/embeddings", json=EMBED).status_code == 200)  # the place is free again
        assert gateway.llm.left.wait(5)  # and the LLM does not go on for nobody


async def test_what_the_lane_refuses_is_told_with_when_to_come_again(gateway: Gateway) -> None:
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
        await asyncio.sleep(0.5)
        assert (await http.post("/v1/embeddings", json=EMBED)).status_code == 200


def test_who_leaves_takes_the_work_along(gateway: Gateway, http: httpx.Client) -> None:
    before = metric(http, 'retriton_gateway_rejected_total{reason="disconnected"}')
    body = json.dumps({**BULK, "input": BULK["input"] * 8, "truncate": "END"}).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as caller:
        head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.key}\r\n"
        head += "Content-Type: application/json\r\n"
        caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: metric(http, "retriton_gateway_in_flight ") >= 2)
    start = time.monotonic()
    until(lambda: metric(http, 'retriton_gateway_rejected_total{reason="disconnected"}') == before + 1)
    until(lambda: http.post("/v1/embeddings", json={**EMBED, "model": "passage"}).status_code == 200)
    assert time.monotonic() - start < 2  # 512 passages would take longer


def test_health_tells_the_truth(url: str, tmp_path: Path) -> None:
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


def test_a_stop_finishes_the_answers_that_have_begun(url: str, tmp_path: Path) -> None:
    slow = Says(("a ",) * 60, gap_s=0.03)
    with running(url, tmp_path, llm=slow) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        with http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            with gateway.client() as late, pytest.raises(httpx.ConnectError):
                late.get("/v1/health/live")
            rest = list(lines)
        assert rest[-2] == "data: [DONE]"
        assert sum('"content":"a "' in line for line in rest) == 60
        assert gateway.process.wait(10) == 0


def test_who_leaves_does_not_let_the_llm_rewrite_for_nobody(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, llm=ON_AND_ON) as gateway, gateway.client(timeout_s=1) as http:
        upload(http, "documents", SAMPLES[:1])
        history = [{"role": "user", "content": "Tell me about lanes."}]
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/retrieve", json={"query": "Why two?", "history": history})
        assert gateway.llm.left.wait(5)


def test_headers_must_come_soon_and_be_short(gateway: Gateway) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as long:
        with pytest.raises(ConnectionError):  # it is closed in the middle
            for _ in range(200):
                long.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 65536)
                time.sleep(0.01)
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        start = time.monotonic()
        assert slow.recv(100) == b""
        assert 5 < time.monotonic() - start < 20


def test_a_body_may_not_pass_as_an_upload(http: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert http.post("/v1/embeddings", content=b"x" * (16 * 1024 * 1024 + 1), headers=headers).status_code == 413


def test_odd_headers_are_refused_and_no_error_of_ours(url: str, tmp_path: Path) -> None:
    odd = {"X-Request-Timeout-Ms": "9" * 5000}
    with running(url, tmp_path) as gateway, gateway.client() as http:
        assert http.post("/v1/embeddings", json=EMBED, headers=odd).status_code == 400
        answer = http.get("/v1/collections", headers={"X-Request-Timeout-Ms": "1"})
        assert answer.status_code in (200, 504)  # whoever leaves while a file is opened does not keep it
        time.sleep(3)
        store = Store(str(tmp_path / "milvus.db"), "documents")
        store.close()
