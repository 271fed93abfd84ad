"""Uploads wait for servers that cannot be reached, in their order."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from retriton_pipeline.gateway.fairness import RoundRobin
from retriton_serving.launcher import free_ports
from tests.gateway.conftest import running, until, wait_for_job
from tests.tcp_relay import relay


def upload(http: httpx.Client, collection: str, text: str) -> str:
    answer = http.post(f"/v1/collections/{collection}/documents", files=[("files", ("tea.md", text.encode()))])
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.triton
@pytest.mark.milvus
def test_uploads_wait_for_triton_and_keep_their_order(tiny_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with running(f"127.0.0.1:{port}", tmp_path) as gateway, gateway.client() as http:

        def postponed(job: str) -> int:
            lines = gateway.log_lines()
            return sum(line.get("job") == job and line.get("state") == "postponed" for line in lines)

        first, other = upload(http, "drinks", "Tea is grown in Assam."), upload(http, "other", "Tea is a drink.")
        until(lambda: postponed(first) >= 2 and postponed(other) >= 1, 30)
        later, cancelled = upload(http, "drinks", "Coffee is grown in Sidamo."), upload(http, "drinks", "Cancelled.")
        assert http.delete(f"/v1/jobs/{cancelled}").json()["state"] == "cancelled"
        found = http.get(f"/v1/jobs/{first}").json()
        assert (found["state"], found["error"]["code"]) == ("queued", "unavailable")
        with relay(port, tiny_url):
            for job in (first, other, later):
                ended = wait_for_job(http, job)
                assert (ended["state"], ended["error"], ended["documents"]) == ("succeeded", None, 1)
            hits = http.post("/v1/retrieve", json={"query": "tea", "collection": "drinks"}).json()["passages"]
        assert [hit["text"] for hit in hits] == ["Coffee is grown in Sidamo."]
        assert postponed(later) == 0  # it waited for the first one, instead of failing itself


def test_what_is_put_back_is_taken_first_in_its_order() -> None:
    waiting: RoundRobin[int] = RoundRobin()
    waiting.add("key", 3)
    waiting.add("other", 10)
    waiting.add_first("key", [1, 2])
    assert [waiting.take() for _ in range(5)] == [1, 10, 2, 3, None]
