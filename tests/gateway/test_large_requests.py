"""Requests that are larger than what may wait in a lane."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.gateway.conftest import Gateway, running

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
TEXT = "many words of a passage about retrieval and its latency " * 24  # 242 tokens
TIMEOUT_S = 240  # what 145,000 tokens take on two busy cores
SHARE_MAX = 0.3  # of its time, for which a request of one passage waits


@pytest.fixture
def gateway(url: str, tmp_path: Path) -> Iterator[Gateway]:
    with running(url, tmp_path, "--timeout", str(TIMEOUT_S)) as started:
        yield started


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_the_largest_request_is_answered_and_holds_up_nobody(gateway: Gateway, http: httpx.Client) -> None:
    texts = [f"{number} {TEXT}" for number in range(600)]
    body = {"model": "passage", "input": texts, "input_type": "passage", "truncate": "END"}
    found: list[httpx.Response] = []

    def send() -> None:
        with gateway.client() as large:
            found.append(large.post("/v1/embeddings", json=body, timeout=TIMEOUT_S))

    sender = threading.Thread(target=send)
    sender.start()
    began, took = time.monotonic(), []
    while sender.is_alive():
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
