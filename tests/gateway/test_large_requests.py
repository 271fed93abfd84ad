"""Requests that are larger than what may wait in a lane."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from retriton_pipeline.gateway import new_key
from tests.gateway.conftest import Gateway, running, until

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
TEXT = "many words of a passage about retrieval and its latency " * 24  # 242 tokens
TIMEOUT_S = 240  # what 145,000 tokens take on two busy cores
SHARE_MAX = 0.3  # of its time, for which a request of one passage waits


@pytest.fixture
def gateway(url: str, tmp_path: Path) -> Iterator[Gateway]:
    with running(url, tmp_path, "--timeout", str(TIMEOUT_S)) as started:
        yield started


@contextmanager
def sending(gateway: Gateway, body: dict[str, Any], key: str | None = None) -> Iterator[list[httpx.Response]]:
    """Posts ``body`` to ``/v1/embeddings`` beside the block, which has the response after it."""
    found: list[httpx.Response] = []

    def send() -> None:
        with gateway.client(key) as large:
            found.append(large.post("/v1/embeddings", json=body, timeout=TIMEOUT_S))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield found
    finally:
        sender.join()


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_another_key_takes_turns_with_large_requests(gateway: Gateway, http: httpx.Client) -> None:
    key, line = new_key("other")
    gateway.keys_file.write_text(f"{gateway.keys_file.read_text()}{line}\n")
    body = {"model": "passage", "input": [f"{number} {TEXT}" for number in range(300)], "truncate": "END"}
    took: list[float] = []
    with gateway.client(key) as other:
        until(lambda: other.get("/v1/models").status_code == 200)  # the new key is loaded
        start = time.monotonic()
        with sending(gateway, body) as first:
            time.sleep(0.5)
            while not first:
                asked = time.monotonic()
                answer = other.post("/v1/embeddings", json={"model": "passage", "input": "a text"})
                took.append(time.monotonic() - asked)
                assert answer.status_code == 200, answer.text
                time.sleep(0.05)
    assert first[0].status_code == 200, first[0].text
    assert len(took) > 10
    assert np.median(took) < (time.monotonic() - start) / 20  # without turns, they wait for 16,000 of 73,000 tokens


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_the_largest_request_is_answered_and_holds_up_nobody(gateway: Gateway, http: httpx.Client) -> None:
    texts = [f"{number} {TEXT}" for number in range(600)]
    body = {"model": "passage", "input": texts, "input_type": "passage", "truncate": "END"}
    began, took = time.monotonic(), []
    with sending(gateway, body) as found:
        while not found:
            for role in ("query", "passage"):
                start = time.monotonic()
                other = http.post("/v1/embeddings", json={"model": role, "input": "a text", "input_type": role})
                took.append(time.monotonic() - start)
                assert other.status_code == 200, other.text
            time.sleep(0.1)
    share = max(took) / (time.monotonic() - began)
    assert found[0].status_code == 200, found[0].text
    vectors = [row["embedding"] for row in found[0].json()["data"]]
    assert np.shape(vectors)[0] == 600
    assert len(took) > 4
    assert share < SHARE_MAX
    alone = http.post("/v1/embeddings", json={**body, "input": texts[599:]}).json()["data"][0]["embedding"]
    assert np.dot(alone, vectors[599]) > 0.999
