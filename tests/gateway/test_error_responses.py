"""Error responses: status, code, and a message that says what is wrong."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.gateway.conftest import error

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
EMBED = {"input": "hello", "model": "query"}


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
def test_invalid_requests_get_the_reason(http: httpx.Client, body: bytes, status: int, message: str) -> None:
    answer = http.post("/v1/embeddings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert message in error(answer)["message"]


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    assert error(http.get("/v1/nothing"))["code"] == "not_found"
    refused = http.get("/v1/embeddings")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert error(refused)["code"] == "method_not_allowed"
    assert http.get("/static/../app.py").status_code == http.get("/static/%2e%2e/app.py").status_code == 404
