"""What the gateway decides about files and vector stores alone: where they are kept, and how many."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriton_pipeline.gateway import Bounds, Settings
from retriton_pipeline.gateway.fairness import current_key
from retriton_pipeline.gateway.schemas.file_filters import ComparisonFilter, CompoundFilter, expression_of
from retriton_pipeline.gateway.schemas.file_search import VectorStoreSearchRequest
from retriton_pipeline.gateway.storage.attachments import Attachment, AttachmentRecords, AttachmentStatus
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.pages import Cursor, UnknownCursor
from retriton_pipeline.gateway.storage.vector_stores import VectorStoreRecord, VectorStoreRecords
from retriton_pipeline.store.filters import parse
from tests.gateway.conftest import error
from tests.gateway.in_process import in_process


async def send(http: httpx.AsyncClient, content: bytes = b"abc", **fields: str) -> httpx.Response:
    return await http.post("/v1/files", files={"file": ("a.txt", content)}, data={"purpose": "user_data", **fields})


async def test_without_a_folder_the_message_names_the_option() -> None:
    async with in_process() as http:
        for answer in (await send(http), await http.get("/v1/files"), await http.post("/v1/vector_stores", json={})):
            assert answer.status_code == 400
            assert "start it with --files FOLDER" in error(answer)["message"]


def test_the_folder_is_beside_the_file_of_milvus_lite() -> None:
    assert Settings(url="", milvus="data/milvus.db").files_folder == Path("data/milvus.files")
    assert Settings(url="", milvus="data/milvus.db", files=Path("f")).files_folder == Path("f")
    assert Settings(url="", milvus="http://milvus:19530").files_folder is None


async def test_the_number_and_the_bytes_of_files_are_limited(tmp_path: Path) -> None:
    bounds = Bounds(files=3, files_bytes=100, vector_stores=1, upload_bytes=4096)
    async with in_process(files=tmp_path / "files", bounds=bounds) as http:
        assert (await send(http)).json()["bytes"] == 3
        full = await send(http, b"a" * 98)
        assert (full.status_code, error(full)["code"]) == (400, "storage_full")
        assert "1 files of 3 bytes are kept; the limits are 3 files and 100 bytes" in error(full)["message"]
        for _ in range(2):
            assert (await send(http)).status_code == 200
        assert "3 files of 9 bytes" in error(await send(http))["message"]
        large = await send(http, b"a" * 5000)
        assert (large.status_code, error(large)["code"]) == (413, "too_large")
        assert len(list((tmp_path / "files" / "contents").iterdir())) == 3
        assert (await http.post("/v1/vector_stores", json={})).status_code == 200
        assert error(await http.post("/v1/vector_stores", json={}))["code"] == "storage_full"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "fun"}, "purpose"),
        ({"expires_after[anchor]": "now", "expires_after[seconds]": "3600"}, "expires_after[anchor]"),
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "1"}, "expires_after[seconds]"),
    ],
)
async def test_a_form_that_is_wrong_is_refused(tmp_path: Path, fields: dict[str, str], param: str) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, **fields)
        assert (answer.status_code, error(answer)["param"]) == (422, param)
        assert (await http.post("/v1/files", json={})).status_code == 415
        assert error(await http.post("/v1/files", files={"file": ("..", b"a")}, data={"purpose": "vision"}))["code"]


async def test_a_disk_that_fails_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with in_process(files=tmp_path / "file" / "folder") as http:
        answer = await http.get("/v1/files")
        assert (answer.status_code, error(answer)["code"]) == (503, "storage_unavailable")


async def test_keys_use_the_database_in_turn(tmp_path: Path) -> None:
    database, order = Database(tmp_path / "gateway.sqlite"), []

    async def run(key: str) -> None:
        current_key.set(key)
        await database.run(lambda connection: order.append(key))

    await asyncio.gather(*(run(key) for key in ["many"] * 20 + ["one"]))
    assert order.index("one") <= 2


async def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "a" / "gateway.sqlite")

    def fail(connection: Any) -> None:
        connection.execute("INSERT INTO batches VALUES ('a', 'b', 1, 0)")
        raise KeyError("a")

    with pytest.raises(KeyError):
        await database.run(fail)
    rows = await database.run(lambda connection: connection.execute("SELECT * FROM batches").fetchall())
    assert rows == []
    await database.close()


def test_filters_become_expressions_over_metadata() -> None:
    one = ComparisonFilter(type="eq", key='a "b"\\', value="c\\ 'd'")
    many = ComparisonFilter(type="nin", key="é", value=[1, 2.5])
    both = CompoundFilter(type="and", filters=[one, CompoundFilter(type="or", filters=[many, one])])
    text = r"""metadata["a \"b\"\\"] == "c\\ 'd'" """.strip()
    found = expression_of(both)
    assert found == f'({text} and (metadata["é"] not in [1, 2.5] or {text}))'
    parse(found)
    assert expression_of(None) == ""
    assert VectorStoreSearchRequest.model_validate({"query": "a", "filters": {}}).filters is None


async def test_files_can_be_deleted_while_they_are_listed_page_by_page(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        ids = [(await send(http)).json()["id"] for _ in range(5)]
        after, listed = "", []
        while (page := (await http.get("/v1/files", params={"limit": 2, "after": after})).json())["data"]:
            for file in page["data"]:
                assert (await http.delete(f"/v1/files/{file['id']}")).status_code == 200
                listed.append(file["id"])
            after = page["last_id"]
        assert listed == ids[::-1]
        unknown = await http.get("/v1/files", params={"before": "none"})
        assert unknown.status_code == 400
        assert (error(unknown)["param"], error(unknown)["message"]) == (
            "before",
            "before is 'none': the list has no such id",
        )


async def test_a_record_that_is_no_longer_in_a_list_marks_its_place(tmp_path: Path) -> None:
    database = Database(tmp_path / "gateway.sqlite")
    stores, files = VectorStoreRecords(database), AttachmentRecords(database)
    for id_ in ("a", "b", "c"):
        await stores.put(VectorStoreRecord(id_, "alice", "", 1, 1))
    await files.put([Attachment("a", id_, "alice", 1, 1) for id_ in ("x", "y", "z")])
    await stores.delete("b")
    await files.delete(Attachment("a", "y", "alice", 1, 1))
    await files.put([Attachment("a", "z", "alice", 1, 1, status=AttachmentStatus.COMPLETED)])
    assert [store.id for store in (await stores.page("alice", Cursor(5, "asc", after="b"))).records] == ["c"]
    assert [file.id for file in (await files.page("a", Cursor(5, after="y"), None)).records] == ["x"]
    waiting = await files.page("a", Cursor(5, after="z"), AttachmentStatus.IN_PROGRESS)  # which it was
    assert [file.id for file in waiting.records] == ["x"]
    with pytest.raises(UnknownCursor):
        await stores.page("bob", Cursor(5, after="b"))
    await database.close()


async def test_what_is_wrong_is_called_as_in_the_request(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        unnamed = await http.post("/v1/files", files={"file": (None, b"a")}, data={"purpose": "user_data"})
        assert error(unnamed)["message"] == "file: it is not a file: its part of the form has no filename"
        long = await http.post("/v1/files", files={"file": ("a" * 201, b"a")}, data={"purpose": "user_data"})
        assert error(long)["param"] == "file"
        assert (await http.post("/v1/vector_stores")).status_code == 200  # the body may be left out
        store = (await http.post("/v1/vector_stores", json={})).json()["id"]
        for path, body, param in (
            ("", {"file_ids": ["none"]}, "file_ids"),
            (f"/{store}/files", {"file_id": "none"}, "file_id"),
            (f"/{store}/file_batches", {"file_ids": ["none"]}, "file_ids"),
            (f"/{store}/file_batches", {"files": [{"file_id": "none"}]}, "files"),
        ):
            answer = await http.post(f"/v1/vector_stores{path}", json=body)
            assert (answer.status_code, error(answer)["param"]) == (404, param)
        await send(http, purpose="vision")
        assert len((await http.get("/v1/files", params={"purpose": ""})).json()["data"]) == 1


@pytest.mark.parametrize(
    ("name", "sent"), [("a.txt", 'filename="a.txt"'), ("ü b.txt", "filename*=UTF-8''%C3%BC%20b.txt")]
)
async def test_a_download_says_its_name_and_size(tmp_path: Path, name: str, sent: str) -> None:
    async with in_process(files=tmp_path) as http:
        made = await http.post("/v1/files", files={"file": (name, b"abc")}, data={"purpose": "user_data"})
        answer = await http.get(f"/v1/files/{made.json()['id']}/content")
        assert answer.content == b"abc"
        assert answer.headers["Content-Length"] == "3"
        assert answer.headers["Content-Disposition"] == f"attachment; {sent}"
