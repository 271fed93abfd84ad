"""Uploads as jobs, and the documents in collections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from retriton_pipeline.gateway import new_key
from tests.gateway.conftest import Gateway, running, until, upload, wait_for_job

pytestmark = [pytest.mark.triton, pytest.mark.milvus]


@pytest.fixture(scope="module")
def alone(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for tests that change collections."""
    with running(url, tmp_path_factory.mktemp("alone")) as gateway:
        yield gateway


@pytest.fixture
def http(alone: Gateway) -> Iterator[httpx.Client]:
    with alone.client() as client:
        yield client


def found(http: httpx.Client, query: str, collection: str) -> list[str]:
    answer = http.post("/v1/retrieve", json={"query": query, "collection": collection, "top_k": 3})
    assert answer.status_code == 200, answer.text
    return [passage["source"] for passage in answer.json()["passages"]]


def written(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return [folder / f"{name}.txt" for name in texts]


def test_a_document_is_added_found_replaced_and_deleted(http: httpx.Client, tmp_path: Path) -> None:
    files = written(tmp_path, tea="Tea grows in Assam.", bread="Bread is baked from flour.")
    job = upload(http, "food", files)
    assert (job["state"], job["documents"], job["error"]) == ("succeeded", 2, None)
    assert job["bytes_done"] == job["bytes_total"] == sum(file.stat().st_size for file in files)
    assert job["result"]["added"] == 2  # type: ignore[index]
    assert found(http, "where does tea grow?", "food")[0] == "tea.txt"
    written(tmp_path, tea="Tea grows in Darjeeling.")
    again = upload(http, "food", files)
    assert (again["result"]["replaced"], again["result"]["unchanged"]) == (1, 1)  # type: ignore[index]
    documents = {one["source"]: one["id"] for one in http.get("/v1/collections/food/documents").json()["data"]}
    assert set(documents) == {"tea.txt", "bread.txt"}
    assert http.delete(f"/v1/collections/food/documents/{documents['tea.txt']}").status_code == 204
    assert http.delete(f"/v1/collections/food/documents/{documents['tea.txt']}").status_code == 404
    assert found(http, "where does tea grow?", "food") == ["bread.txt"]
    assert "food" in http.get("/v1/collections").json()["data"]


def test_unreadable_files_are_named_with_the_reason(http: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    job = upload(http, "odd", [*written(tmp_path, good="Good text."), tmp_path / "empty.txt", tmp_path / "picture.png"])
    assert job["state"] == "succeeded"
    skipped = {entry["source"]: entry["reason"] for entry in job["result"]["skipped"]}  # type: ignore[index]
    assert set(skipped) == {"empty.txt", "picture.png"}
    assert "0 bytes" in skipped["empty.txt"]


def test_paths_in_file_names_are_removed(alone: Gateway, http: httpx.Client, tmp_path: Path) -> None:
    names = ["../../../../tmp/stolen.txt", "/etc/passwd.txt", "C:\\windows\\a.txt", "a/../../b.txt"]
    parts = [("files", (name, f"text of file {number}".encode())) for number, name in enumerate(names)]
    job = wait_for_job(http, http.post("/v1/collections/paths/documents", files=parts).json()["id"])
    assert job["state"] == "succeeded"
    sources = {one["source"] for one in http.get("/v1/collections/paths/documents").json()["data"]}
    assert sources == {"stolen.txt", "passwd.txt", "a.txt", "b.txt"}
    assert not Path("/tmp/stolen.txt").exists()
    for collection in ("../x", "a-b", "1a", "a" * 101):
        answer = http.post(f"/v1/collections/{collection}/documents", files=[("files", ("a.txt", b"a"))])
        assert answer.status_code in (404, 422), collection
    twice = [("files", ("x/a.txt", b"1")), ("files", ("a.txt", b"2"))]
    same = http.post("/v1/collections/paths/documents", files=twice)
    assert same.status_code == 400
    assert "two files" in same.json()["error"]["message"]


def test_jobs_are_visible_to_their_key_and_can_be_cancelled(alone: Gateway, http: httpx.Client, tmp_path: Path) -> None:
    other, line = new_key("other")
    alone.keys_file.write_text(f"{alone.keys_file.read_text()}{line}\n")
    text = "\n\n".join(f"Paragraph {number} is about number {number} and nothing else." for number in range(20_000))
    parts = [("files", ("long.txt", text.encode()))]
    running_job, waiting = (http.post("/v1/collections/long/documents", files=parts).json() for _ in range(2))
    with alone.client(other) as stranger:
        until(lambda: stranger.get("/v1/jobs").status_code == 200)  # the new key is loaded
        assert stranger.get(f"/v1/jobs/{waiting['id']}").status_code == 404
        assert stranger.delete(f"/v1/jobs/{waiting['id']}").status_code == 404
        assert stranger.get("/v1/jobs").json() == {"data": []}
    assert http.delete(f"/v1/jobs/{waiting['id']}").json()["state"] == "cancelled"
    http.delete(f"/v1/jobs/{running_job['id']}")
    assert wait_for_job(http, running_job["id"])["state"] == "cancelled"
    for reached in (lambda job: True, lambda job: job["state"] == "running", lambda job: job["chunks"] > 0):
        job = http.post("/v1/collections/long/documents", files=parts).json()
        until(lambda: reached(http.get(f"/v1/jobs/{job['id']}").json()), 60)  # noqa: B023 - called at once
        http.delete(f"/v1/jobs/{job['id']}")
        assert wait_for_job(http, job["id"])["state"] == "cancelled"
    assert upload(http, "after", written(tmp_path, next="The next upload works.")).get("state") == "succeeded"


def test_a_large_upload_is_rejected_before_it_is_sent(alone: Gateway) -> None:
    host, port = alone.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as caller:
        head = f"POST /v1/collections/big/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alone.key}\r\n"
        head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {300 * 1024 * 1024}\r\n\r\n"
        caller.sendall(head.encode())
        assert caller.recv(1024).startswith(b"HTTP/1.1 413")


def test_a_collection_that_does_not_exist(http: httpx.Client) -> None:
    for answer in (
        http.post("/v1/retrieve", json={"query": "x", "collection": "nothing"}),
        http.get("/v1/collections/nothing/documents"),
        http.delete(f"/v1/collections/nothing/documents/{'0' * 32}"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "collection_not_found"
