"""Import jobs over HTTP, as Milvus 2.5 documents them, the files of an import, and the ids that were written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymilvus import MilvusClient

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import InvalidOption, StoreError
from retriton_pipeline.ingest import IngestOptions, Shard
from retriton_pipeline.ingest.bulk import open_bulk
from retriton_pipeline.ingest.import_files import ImportFiles, ImportFolder
from retriton_pipeline.ingest.written_chunks import WrittenChunks
from retriton_pipeline.store import Store, StoredDocument, import_files, import_jobs
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.rows import add_fields, to_row

COMPLETED = {  # the documented answer, shortened to one file
    "collectionName": "quick_setup",
    "completeTime": "2024-05-18T02:57:14Z",
    "details": [
        {
            "completeTime": "2024-05-18T02:57:11Z",
            "fileName": 'id:449839014328146740 paths:"/d1782fa1/1.parquet" ',
            "fileSize": 31567874,
            "importedRows": 100000,
            "progress": 100,
            "state": "Completed",
            "totalRows": 100000,
        }
    ],
    "fileSize": 31567874,
    "importedRows": 100000,
    "jobId": "449839014328146739",
    "progress": 100,
    "state": "Completed",
    "totalRows": 100000,
}
IMPORTING = {**COMPLETED, "importedRows": 20000, "progress": 50, "state": "Importing", "completeTime": ""}
FAILED = {"jobId": "1", "progress": 0, "state": "Failed", "reason": "file does not exist: importing data failed"}


class Jobs(ThreadingHTTPServer):
    """Answers as documented; `answers` are those of the progress of all jobs, in order."""

    def __init__(self, answers: list[dict[str, Any] | int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.requests: list[tuple[str, dict[str, Any], str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Jobs

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body, self.headers["Authorization"]))
        if self.path.endswith("/create"):
            self._answer({"code": 0, "data": {"jobId": "449839014328146739"}})
        else:
            answer = self.server.answers.pop(0)
            if isinstance(answer, int):
                self.send_error(answer)
            else:
                self._answer({"code": 0, "data": answer} if "state" in answer else answer)

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr("retriton_pipeline.store.imports._POLL_S", 0.01)
    with Jobs(request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Connection(Milvus):
    """A connection to a server of a version of which only the import jobs are there."""

    def __init__(self, uri: str, version: str) -> None:
        self.uri, self.token, self.is_file, self._process = uri, "root:Milvus", False, None
        self._version = version

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        assert method == "get_server_version"
        return self._version


def of(server: Jobs) -> Any:
    return import_jobs(Connection(f"http://127.0.0.1:{server.server_port}/", "v2.5.4"))


@pytest.mark.parametrize("served", [[IMPORTING, 503, COMPLETED]], indirect=True)
def test_a_job_is_created_and_waited_for(served: Jobs) -> None:
    rows: list[int] = []
    assert import_files(of(served), "documents_v2", ["a/1.parquet", "a/2.parquet"], rows.append) == 100_000
    (create, body, authorization), *described = served.requests
    assert create == "/v2/vectordb/jobs/import/create"
    assert (body["collectionName"], body["files"]) == ("documents_v2", [["a/1.parquet"], ["a/2.parquet"]])
    assert authorization == "Bearer root:Milvus"
    assert [(path, body["jobId"]) for path, body, _ in described] == [
        ("/v2/vectordb/jobs/import/describe", "449839014328146739")
    ] * 3  # one of them was not answered
    assert rows == [20_000, 20_000, 100_000]


@pytest.mark.parametrize("served", [[FAILED]], indirect=True)
def test_a_failed_job_is_an_error_with_its_reason(served: Jobs) -> None:
    with pytest.raises(StoreError, match=r"failed to import 2 files from 1.parquet on \(job .*file does not exist"):
        import_files(of(served), "documents_v2", ["1.parquet", "2.parquet"])


@pytest.mark.parametrize("served", [[{"code": 1100, "message": "job does not exist"}] * 20], indirect=True)
def test_a_server_that_does_not_know_its_job_is_not_asked_for_ever(served: Jobs) -> None:
    with pytest.raises(StoreError, match="job does not exist"):
        import_files(of(served), "documents_v2", ["1.parquet"])


@pytest.mark.parametrize(("version", "reason"), [("v2.3.3", r"Milvus 2.3.3 cannot import Parquet"), ("2.2.9", "2.3.4")])
def test_old_servers_have_no_imports(version: str, reason: str) -> None:
    found = import_jobs(Connection("http://127.0.0.1:1", version))
    assert isinstance(found, str)
    assert reason in found


@pytest.mark.milvus
def test_milvus_lite_falls_back_with_a_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(str(tmp_path / "lite.db"), "documents")
    encoder = EncoderInfo("tiny", "f1", 8, 128, True, {}, "fp32", "{}")
    assert open_bulk(store, encoder, IngestOptions(bulk=str(tmp_path))) is None
    assert "Milvus Lite has no bulk import. The chunks are written in ordinary calls instead" in caplog.text
    caplog.clear()
    assert open_bulk(store, encoder, IngestOptions(bulk=str(tmp_path), bulk_chunks_min=1)) is None  # only if it can
    assert not caplog.text
    store.close()


def test_files_have_what_is_stored_and_not_what_milvus_computes(tmp_path: Path) -> None:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    add_fields(schema, 8, with_bm25=True)
    folder = ImportFolder(str(tmp_path), "files")
    files = ImportFiles(schema, folder, tmp_path / "scratch")
    document = StoredDocument("d", "a.md", "T", "c", "/a.md", {"year": 1, "draft": False})
    vector = np.arange(8, dtype=np.float32) / 7
    files.write([to_row(document, Chunk("Größe 12 mm", "ctx", None, 3), vector, with_bm25=True)])
    files.flush()
    files.flush()  # nothing more
    (file,) = (tmp_path / "files").iterdir()
    (row,) = pq.read_table(file).to_pylist()
    assert row["bm25_text"]
    assert "bm25" not in row
    assert (row["text"], row["page"], row["chunk_index"]) == ("Größe 12 mm", 0, 3)
    assert json.loads(row["metadata"]) == {"year": 1, "draft": False}
    assert np.array_equal(np.array(row["vector"], np.float32), vector)
    assert folder.server_path("00000001.parquet") == str(file)
    again = ImportFiles(schema, folder, tmp_path / "scratch")
    again.write([to_row(document, Chunk("more", "", None, 4), vector, with_bm25=True)])
    again.flush()
    assert folder.names() == ["00000001.parquet", "00000002.parquet"]  # files of the former run are kept


def test_a_server_opens_files_below_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    system = SimpleNamespace(protocol=("s3", "s3a"), makedirs=lambda path, exist_ok: None)
    monkeypatch.setattr("retriton_pipeline.ingest.import_files.open_url", lambda url: (system, "a-bucket/files/in"))
    folder = ImportFolder("s3://a-bucket/files/in", "retriton-documents")
    assert folder.server_path("1.parquet") == "files/in/retriton-documents/1.parquet"


def row(chunk: int, document: int, content: str, index: int) -> dict[str, Any]:
    return {"id": f"{chunk:032x}", "document_id": f"d{document}", "content_hash": content, "chunk_index": index}


def test_a_document_is_complete_with_its_first_chunk() -> None:
    written = WrittenChunks()
    assert written.add([row(1, 1, "a", 1), row(2, 1, "a", 0), row(3, 2, "b", 1)]) == [True, True, True]
    assert written.add([row(1, 1, "a", 1), row(4, 2, "b", 1)]) == [False, True]
    assert written.content_hashes(["d1", "d2", "d3"]) == {"d1": {"a"}}
    written.add([row(5, 1, "new", 0)])
    written.supersede([("d1", "new")])
    assert list(written.superseded()) == [("d1", "a")]
    assert written.count == 5
    written.close()


@pytest.mark.parametrize("others", [{"shard": Shard(0, 2)}, {"ray": "local"}])
def test_one_process_imports(others: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption, match="one process writes the files"):
        IngestOptions(bulk="s3://bucket", **others)
