"""Upload jobs survive `kill -9` of their gateway, in the same folder: resumed, written once, run by one gateway."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymilvus import MilvusClient

from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.jobs import FINISHED_PER_KEY_MAX, LEASE_S, JobRecord, JobRecords
from tests.gateway.conftest import running, until, wait_for_job
from tests.gateway.in_process import in_process
from tests.milvus_server import milvus_server

SENTENCES = range(1500)
TEXTS = {f"{n}.txt": "".join(f"Sentence {k} of text {n} is about item {k * n}. " for k in SENTENCES) for n in range(4)}


def begin(http: httpx.Client, collection: str, texts: dict[str, str] = TEXTS) -> str:
    parts = [("files", (name, text.encode())) for name, text in texts.items()]
    answer = http.post(f"/v1/collections/{collection}/documents", files=parts)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def rows(milvus: str, collection: str) -> list[dict[str, Any]]:
    """All rows of a collection, without their vectors, whose last bits depend on the batch."""
    client = MilvusClient(milvus)
    try:
        fields = [field["name"] for field in client.describe_collection(collection)["fields"]]
        wanted = [name for name in fields if not name.endswith(("vector", "sparse", "bm25"))]
        found = client.query(collection, filter="", output_fields=wanted, limit=16_000, consistency_level="Strong")
        return sorted(map(dict, found), key=lambda row: str(row["id"]))
    finally:
        client.close()


def states(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "gateway.sqlite")) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM jobs ORDER BY seq")]


def uploads(folder: Path, pattern: str) -> list[Path]:
    return list((folder / "uploads").glob(pattern))


@pytest.mark.triton
@pytest.mark.milvus
def test_jobs_go_on_after_kills_at_random_moments(tiny_url: str, tmp_path: Path) -> None:
    files, jobs = tmp_path / "milvus.files", list[str]()
    for moment in range(4):
        with running(tiny_url, tmp_path) as gateway, gateway.client() as http:
            if not moment:
                jobs += [begin(http, "killed"), begin(http, "killed", {"0.txt": "The last upload replaces it."})]
            time.sleep(random.uniform(0.0, 1.5))
            gateway.process.kill()
            gateway.process.wait(10)
    assert len(states(files)) == 2
    (files / "uploads" / "job-without-record").mkdir()
    with running(tiny_url, tmp_path) as gateway, gateway.client() as http:
        for job in jobs:
            found = wait_for_job(http, job)
            assert (found["state"], found["error"]) == ("succeeded", None)
            assert found["bytes_done"] == found["bytes_total"]
        assert [job["id"] for job in http.get("/v1/jobs").json()["data"]] == jobs[::-1]
        for job in (begin(http, "calm"), begin(http, "calm", {"0.txt": "The last upload replaces it."})):
            assert wait_for_job(http, job)["state"] == "succeeded"
        until(lambda: not uploads(files, "job-*"))
    calm, killed = (rows(str(tmp_path / "milvus.db"), name) for name in ("calm", "killed"))
    assert len(killed) > 100
    assert killed == calm
    assert uploads(files, "*") == []


@pytest.mark.triton
@pytest.mark.milvus
def test_another_gateway_takes_over(tiny_url: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("milvus", "a", "b")]
    for folder in folders:
        folder.mkdir()
    options = ["--files", str(tmp_path / "files")]
    with milvus_server(folders[0]) as milvus:
        options += ["--milvus", milvus]
        with running(tiny_url, folders[1], *options) as a, running(tiny_url, folders[2], *options) as b:
            with a.client() as first, b.client() as second:
                jobs = [begin(first, "shared"), begin(first, "shared", {"x.txt": "Another text."}), begin(first, "no")]
                assert second.get(f"/v1/jobs/{jobs[0]}").json()["bytes_total"] == sum(map(len, TEXTS.values()))
                assert second.delete(f"/v1/jobs/{jobs[2]}").json()["state"] == "cancelled"
                a.process.kill()
                a.process.wait(10)
                assert [wait_for_job(second, job)["state"] for job in jobs] == ["succeeded", "succeeded", "cancelled"]
                calm = [begin(second, "calm"), begin(second, "calm", {"x.txt": "Another text."})]
                assert [wait_for_job(second, job)["state"] for job in calm] == ["succeeded", "succeeded"]
                assert second.get("/v1/collections").json()["data"] == ["calm", "shared"]
        assert rows(milvus, "shared") == rows(milvus, "calm")


async def test_an_upload_that_is_answered_is_on_the_disk(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        parts = [("files", ("a.txt", b"abc"))]
        answer = await http.post("/v1/collections/c/documents", files=parts)
        assert answer.status_code == 202
        (folder,) = uploads(tmp_path, "job-*")
        assert (folder.name, (folder / "a.txt").read_bytes()) == (answer.json()["id"], b"abc")
        assert states(tmp_path) == ["queued"]
        async with in_process(files=tmp_path) as other:
            assert (await other.get(f"/v1/jobs/{folder.name}")).json() == answer.json()
            assert (await other.get("/v1/jobs")).json()["data"] == [answer.json()]
            assert (await other.delete(f"/v1/jobs/{folder.name}")).json()["state"] == "cancelled"
        assert states(tmp_path) == ["cancelled"]
        assert not folder.exists()


async def test_what_cannot_be_recorded_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_bytes(b"no database" * 1000)
    async with in_process(files=tmp_path) as http:
        answer = await http.post("/v1/collections/c/documents", files=[("files", ("a.txt", b"abc"))])
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage_unavailable")
    assert uploads(tmp_path, "*/*/a.txt") == uploads(tmp_path, "job-*") == []


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[Sequence[JobRecords]]:
    """The records, as two gateways have them."""
    databases = [Database(folder / "gateway.sqlite") for _ in range(2)]
    try:
        yield [JobRecords(database) for database in databases]
    finally:
        for database in databases:
            await database.close()


def record(number: int, holder: str = "a", lease_until: float = 100.0) -> JobRecord:
    return JobRecord(f"job-{number}", "key", "c", 1.0, 3, holder, lease_until)


async def test_a_job_has_one_holder_until_its_lease_ends(tmp_path: Path) -> None:
    async with both(tmp_path) as (one, other):
        for number in range(2):
            await one.add(record(number), lambda: None)
        assert await other.claim("b", 99.0, lambda holder: True) == []
        assert await one.renew([record(0, lease_until=200.0)]) == set()
        (taken,) = await other.claim("b", 101.0, lambda holder: True)
        assert (taken.id, taken.holder, taken.lease_until) == ("job-1", "b", 101.0 + LEASE_S)
        assert await one.renew([record(0, lease_until=200.0), record(1)]) == {"job-1"}
        assert not await one.finish(replace(record(1), state="succeeded"), "a")
        assert await other.finish(replace(taken, state="failed", error={"code": "x"}), "b")
        assert not await one.finish(replace(record(1), state="cancelled"))
        found = await one.get("key", "job-1")
        assert found
        assert (found.state, found.error) == ("failed", {"code": "x"})
        assert await one.get("other", "job-1") is None
        assert [job.id for job in await other.claim("b", 102.0, lambda holder: holder != "a")] == ["job-0"]


async def test_finished_jobs_are_forgotten_beyond_the_limit(tmp_path: Path) -> None:
    async with both(tmp_path) as (records, _):
        for number in range(FINISHED_PER_KEY_MAX + 2):
            await records.add(record(number), lambda: None)
        for number in range(1, FINISHED_PER_KEY_MAX + 2):
            assert await records.finish(replace(record(number), state="succeeded"), "a")
        kept = await records.owned_by("key")
        assert len(kept) == FINISHED_PER_KEY_MAX + 1
        assert [job.id for job in kept[-2:]] == ["job-2", "job-0"]  # the oldest finished one, and one that waits
