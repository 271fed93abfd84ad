"""Files of vector stores wait for servers that cannot be reached, and are ingested by one gateway at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from retriton_pipeline.gateway.storage.attachment_leases import AttachmentLeases
from retriton_pipeline.gateway.storage.attachments import Attachment, AttachmentRecords, AttachmentStatus
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.jobs import LEASE_S
from retriton_serving.launcher import free_ports
from tests.gateway.conftest import Gateway, running, until
from tests.milvus_server import milvus_server
from tests.tcp_relay import relay

TEA = "Tea is grown in Assam."
LONG = "".join(f"Sentence {number} is about item {number * number}. " for number in range(4000))


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as address:
        yield address


def attach(http: httpx.Client, name: str, text: str, store: str = "") -> str:
    """Uploads a file, and attaches it to a vector store; the path of the attachment."""
    file = http.post("/v1/files", files={"file": (name, text.encode())}, data={"purpose": "assistants"}).json()["id"]
    store = store or http.post("/v1/vector_stores", json={"name": "drinks"}).json()["id"]
    answer = http.post(f"/v1/vector_stores/{store}/files", json={"file_id": file})
    assert answer.json()["status"] == "in_progress", answer.text
    return f"/v1/vector_stores/{store}/files/{file}"


def state(http: httpx.Client, path: str) -> tuple[str, str | None]:
    """The status of an attachment, and the message of its last error."""
    body = http.get(path).json()
    return body["status"], (body["last_error"] or {}).get("message")


def attempts(gateway: Gateway) -> int:
    """How many ingestions have ended, by the gateway's log."""
    return sum(line.get("message") == "job" and line.get("state") == "failed" for line in gateway.log_lines())


@pytest.mark.triton
@pytest.mark.milvus
def test_a_file_waits_for_triton_also_after_a_restart(tiny_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with running(f"127.0.0.1:{port}", tmp_path) as gateway, gateway.client() as http:
        path, broken = attach(http, "tea.md", TEA), attach(http, "broken.pdf", "no PDF")
        until(lambda: attempts(gateway) >= 3, 20)
        message = "the encoder is not available: try again"
        assert state(http, path) == state(http, broken) == ("in_progress", message)
    with running(f"127.0.0.1:{port}", tmp_path) as gateway, gateway.client() as http:
        assert state(http, path) == ("in_progress", message)
        with relay(port, tiny_url):
            until(lambda: state(http, path) == ("completed", None), 40)
            until(lambda: state(http, broken)[0] == "failed", 40)
            assert "broken.pdf" in str(state(http, broken)[1])
            found = http.post(f"{path.rpartition('/files')[0]}/search", json={"query": "tea"}).json()["data"]
            assert [hit["filename"] for hit in found] == ["tea.md"]


@pytest.mark.triton
@pytest.mark.milvus
def test_a_file_waits_for_milvus(tiny_url: str, milvus: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    options = ["--milvus", f"http://127.0.0.1:{port}", "--files", str(tmp_path / "files")]
    with running(tiny_url, tmp_path, *options) as gateway, gateway.client() as http:
        path = attach(http, "tea.md", TEA)
        until(lambda: attempts(gateway) >= 1, 60)
        assert state(http, path) == ("in_progress", "the vector store failed: try again")
        with relay(port, milvus.removeprefix("http://")):
            until(lambda: state(http, path) == ("completed", None), 60)


@pytest.mark.triton
@pytest.mark.milvus
def test_a_file_is_ingested_by_one_gateway_and_taken_over(tiny_url: str, milvus: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    options = ["--files", str(tmp_path / "files"), "--milvus", milvus]
    with running(tiny_url, folders[0], *options) as a, running(tiny_url, folders[1], *options) as b:
        with a.client() as first, b.client() as second:
            path = attach(first, "long.txt", LONG)
            until(lambda: bool(holders(tmp_path)), 20)
            (holder,) = holders(tmp_path)
            until(lambda: jobs_of(second) == [], 0.1)
            time.sleep(4)  # longer than the other gateway takes to look again
            assert (holders(tmp_path), jobs_of(second), state(second, path)[0]) == ([holder], [], "in_progress")
            a.process.kill()
            a.process.wait(10)
            until(lambda: holders(tmp_path) not in ([], [holder]), 10)
            until(lambda: len(jobs_of(second)) == 1, 5)
            again = second.post(f"{path.rpartition('/')[0]}", json={"file_id": path.rpartition("/")[2]})
            assert again.json()["status"] == "in_progress"
            until(lambda: [one["state"] for one in jobs_of(second)][-1:] == ["cancelled"], 10)
            assert second.delete(path).json()["deleted"]
            assert holders(tmp_path) == []


def holders(folder: Path) -> list[str]:
    """The gateways that ingest something."""
    with closing(sqlite3.connect(folder / "files" / "gateway.sqlite")) as connection:
        return [row[0] for row in connection.execute("SELECT holder FROM attachments WHERE holder != ''")]


def jobs_of(http: httpx.Client) -> list[dict[str, object]]:
    """The ingestions of a gateway, the latest first."""
    found: list[dict[str, object]] = http.get("/v1/jobs").json()["data"]
    return found


Both = tuple[AttachmentLeases, AttachmentLeases]


@asynccontextmanager
async def both(folder: Path, records: Sequence[Attachment]) -> AsyncIterator[tuple[AttachmentRecords, Both]]:
    """The leases of two gateways, `a` and `b`, with records in progress."""
    databases = [Database(folder / "gateway.sqlite") for _ in range(2)]
    try:
        table = AttachmentRecords(databases[0])
        await table.put(records)
        yield table, (AttachmentLeases(databases[0], lambda: "a"), AttachmentLeases(databases[1], lambda: "b"))
    finally:
        for database in databases:
            await database.close()


def record(number: int, owner: str = "key") -> Attachment:
    return Attachment("vs", f"file-{number}", owner, 3, 1)


async def test_a_lease_is_exclusive_until_it_ends(tmp_path: Path) -> None:
    async with both(tmp_path, [record(0), record(1)]) as (records, (a, b)):
        first = await a.claim("key", 100.0)
        second = await b.claim("key", 100.0)
        assert first and second and (first.id, second.id) == ("file-0", "file-1")
        assert await b.claim("other", 100.0) is None
        assert await b.waiting_owners(100.0) == ["key"]  # what it holds itself, for after a failure of the storage
        assert await b.is_held_elsewhere([first], 100.0)
        assert not await b.is_held_elsewhere([second], 100.0)
        key = ("vs", "file-0")
        assert await a.renew([key], 110.0) == set()
        await b.finish(second, status=AttachmentStatus.COMPLETED)
        assert await b.claim("key", 101.0 + LEASE_S) is None
        taken = await b.claim("key", 111.0 + LEASE_S)
        assert taken is not None
        assert taken.id == "file-0"
        assert await a.renew([key], 130.0) == {key}
        await a.finish(first, status=AttachmentStatus.FAILED)  # it was taken over: no effect
        assert (await records.get("vs", ["file-0"]))["file-0"].status is AttachmentStatus.IN_PROGRESS
        await b.end_abandoned(lambda holder: holder == "a")
        assert await a.claim("key", 131.0) == taken


async def test_what_is_cancelled_elsewhere_is_left_by_its_holder(tmp_path: Path) -> None:
    async with both(tmp_path, [record(0)]) as (records, (a, b)):
        held = await a.claim("key", 100.0)
        assert held
        await records.halt([held])
        assert await a.renew([("vs", "file-0")], 101.0) == {("vs", "file-0")}
        assert await b.is_held_elsewhere([held], 101.0)
        await a.finish(held, status=AttachmentStatus.COMPLETED)
        assert not await b.is_held_elsewhere([held], 101.0)
        assert (await records.get("vs", ["file-0"]))["file-0"].status is AttachmentStatus.CANCELLED


async def test_the_pause_after_failures_grows_to_its_limit(tmp_path: Path) -> None:
    async with both(tmp_path, [record(0)]) as (records, (a, _)):
        now_s, pauses = 1000.0, list[int]()
        for number in range(8):
            held = await a.claim("key", now_s)
            assert held is not None
            assert held.failures == number
            await a.postpone(held, now_s, error_code="server_error", error_message="try again")
            pauses.append([await due(a, now_s + n) for n in range(1, 70)].index("file-0") + 1)
            now_s += pauses[-1]
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
        found = (await records.get("vs", ["file-0"]))["file-0"]
        assert (found.status, found.error_message) == (AttachmentStatus.IN_PROGRESS, "try again")
        await records.put([record(1)])  # a file that fails does not hold up the others
        assert await due(a, now_s) == "file-1"
        await records.put([found.again({"a": 1})])
        assert await due(a, 0.0) == "file-0"


async def due(leases: AttachmentLeases, now_s: float) -> str:
    """The file that would be claimed; empty if none is due."""
    found = await leases.claim("key", now_s)
    if found is None:
        return ""
    await leases.finish(found)
    return found.id
