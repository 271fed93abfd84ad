"""Uploads of different keys: one that takes long does not hold up the others; those that belong together keep order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from retriton_pipeline.gateway import new_key
from retriton_pipeline.gateway.fairness import RoundRobin
from retriton_pipeline.gateway.services.job import Job
from retriton_pipeline.gateway.services.upload_ingestion import bounded
from retriton_pipeline.ingest import Progress
from tests.gateway.conftest import running, until, wait_for_job

LONG = b"".join(b"The lane number %d has a queue of %d texts.\n" % (number, 7 * number) for number in range(70_000))


def job(folder: Path, owner: str, collection: str, *names: str, chunks: int = 0) -> Job:
    place = folder / f"{owner}-{collection}-{len(list(folder.iterdir()))}"
    place.mkdir()
    for name in names:
        (place / name).touch()
    return Job("job", owner, collection, place, 0, progress=Progress(0, 0, 0, chunks, 0))


def test_jobs_wait_for_those_of_their_key_and_of_the_same_documents(tmp_path: Path) -> None:
    written = job(tmp_path, "a", "tea", "x.md", "y.md", chunks=1)
    assert job(tmp_path, "a", "other", "z.md").waits_for(written)
    assert job(tmp_path, "b", "tea", "y.md", "z.md").waits_for(written)
    assert not job(tmp_path, "b", "tea", "z.md").waits_for(written)
    assert not job(tmp_path, "b", "other", "x.md").waits_for(written)
    just_begun = job(tmp_path, "a", "new", "x.md")  # and may have to create its collection
    assert job(tmp_path, "b", "new", "z.md").waits_for(just_begun)


def test_a_key_whose_next_item_is_not_free_does_not_hold_up_the_others() -> None:
    waiting: RoundRobin[int] = RoundRobin()
    for key, item in (("a", 1), ("a", 2), ("b", 3)):
        waiting.add(key, item)
    assert [waiting.take(lambda item: item > 2), waiting.take(lambda item: item > 1)] == [3, None]
    assert [waiting.take(), waiting.take(), waiting.take()] == [1, 2, None]


def test_the_list_of_skipped_documents_is_bounded() -> None:
    skipped = [{"source": f"{number:0100}.pdf", "reason": "damaged"} for number in range(5000)]
    result = bounded({"added": 1, "skipped": skipped})
    assert (result["added"], result["skipped_total"]) == (1, 5000)
    assert result["skipped"] == skipped[: 65_536 // 111]
    assert bounded({"skipped": skipped[:2]}) == {"skipped": skipped[:2], "skipped_total": 2}


@pytest.mark.triton
@pytest.mark.milvus
def test_a_large_upload_leaves_a_place_to_other_keys(tiny_url: str, tmp_path: Path) -> None:
    with running(tiny_url, tmp_path) as gateway, gateway.client() as http:
        key, line = new_key("other")
        gateway.keys_file.write_text(f"{gateway.keys_file.read_text()}{line}\n")
        with gateway.client(key) as other:
            until(lambda: other.get("/v1/jobs").status_code == 200)
            large = upload(http, "tea", "large.txt", LONG)
            until(lambda: state(http, large)["state"] == "running", 30)
            second = upload(http, "own", "second.md", b"The second upload of the first key.")
            assert wait_for_job(other, upload(other, "coffee", "a.md", b"Coffee is roasted."))["state"] == "succeeded"
            assert wait_for_job(other, upload(other, "tea", "b.md", b"Tea is dried."))["state"] == "succeeded"
            replacing = upload(other, "tea", "large.txt", b"Tea is short.")
            assert (state(http, large)["state"], state(http, second)["state"]) == ("running", "queued")
            assert state(other, replacing)["state"] == "queued"
            assert http.delete(f"/v1/jobs/{large}").status_code == 200
            assert wait_for_job(http, second)["state"] == wait_for_job(other, replacing)["state"] == "succeeded"


def state(http: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"/v1/jobs/{job_id}").json()
    return found


def upload(http: httpx.Client, collection: str, name: str, content: bytes) -> str:
    answer = http.post(f"/v1/collections/{collection}/documents", files=[("files", (name, content))])
    return str(answer.json()["id"])
