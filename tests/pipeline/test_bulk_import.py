"""Bulk imports into a real Milvus server. Version 2.3.5 imports over gRPC, a file a task, from its local disk."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pymilvus import MilvusClient

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import InvalidOption, StoreError
from retriton_pipeline.ingest import IngestOptions
from retriton_pipeline.ingest.bulk import BulkImport, open_bulk
from retriton_pipeline.ingest.pruning import Seen
from retriton_pipeline.store import ImportJobs, Store, StoredDocument, drop_collection, import_jobs
from retriton_pipeline.store.imports import ImportState
from tests.milvus_server import milvus_server

pytestmark = pytest.mark.milvus
ENCODER = EncoderInfo("tiny", "f1", 8, 128, True, {}, "fp32", "{}")
DOCUMENTS = [StoredDocument(f"id{n}", f"{n}.md", "Tïtle", f"c{n}", f"/docs/{n}.md", {"year": n}) for n in range(200)]
VECTORS = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


FIELDS = ["id", "document_id", "content_hash", "chunk_index", "page", "source", "file", "title", "context", "text"]
FIELDS += ["overlap", "separator", "metadata"]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture
def store(uri: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("retriton_pipeline.ingest.import_files._FILE_BYTES", 8_000)  # several files
    monkeypatch.setattr("retriton_pipeline.store.imports._POLL_S", 0.1)
    store = Store(uri, request.node.name, consistency="Strong")
    yield store
    store.drop()
    store.close()


def begin(store: Store, folder: Path, jobs: ImportJobs | None = None, chunks_min: int = 0) -> BulkImport:
    found = jobs or import_jobs(store.milvus)
    assert not isinstance(found, str)
    return BulkImport(store, found, ENCODER, IngestOptions(bulk=str(folder), bulk_chunks_min=chunks_min))


def write(bulk: BulkImport, documents: list[StoredDocument], vectors: NDArray[np.float32] = VECTORS) -> None:
    rows = [(document, Chunk(f"text of {document.source}", "ctx", 1, 0)) for document in documents]
    bulk.upsert(rows, vectors[: len(rows)])
    bulk.delete_other_contents(documents)


def seen(documents: list[StoredDocument]) -> Seen:
    return Seen({document.id for document in documents})


class Misdirected:
    """The import jobs of the real server, with another file in place of some."""

    def __init__(self, store: Store, replaced: dict[str, str]) -> None:
        self._store, self._replaced = store, replaced
        self.files_max, self.concurrent = 1, 4
        self.started: list[str] = []

    def start(self, collection: str, files: list[str]) -> str:
        self.started += files
        (file,) = files
        name = Path(file).name
        return self._jobs.start(collection, [file.replace(name, self._replaced.get(name, name))])

    def state(self, job: str) -> ImportState:
        return self._jobs.state(job)

    @property
    def _jobs(self) -> ImportJobs:
        jobs = import_jobs(self._store.milvus)
        assert not isinstance(jobs, str)
        return jobs


def test_what_was_imported_is_found_once(store: Store, uri: str, tmp_path: Path) -> None:
    bulk = begin(store, tmp_path)
    write(bulk, DOCUMENTS)
    write(bulk, DOCUMENTS[:50])  # again: Milvus would import them twice
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("*.parquet"))) > 1
    reader = Store(uri, store.collection, consistency="Strong")
    assert reader.versions.resolve(store.collection) is None  # nothing is visible before its end
    bulk.finish(seen(DOCUMENTS))
    bulk.close()
    reader.open(ENCODER)
    assert reader.count() == 200
    (hits,) = reader.search(VECTORS[7:8], 3, with_chunks=True)
    assert hits[0].chunk is not None
    assert (hits[0].chunk.source, hits[0].chunk.title, dict(hits[0].chunk.metadata)) == ("7.md", "Tïtle", {"year": 7})
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(reader.vectors([hits[0].id]), VECTORS[7:8])
    assert len({hit.id for hit in reader.search(VECTORS[:1], 200)[0]}) == 200
    assert list(tmp_path.iterdir()) == []
    reader.close()


def test_a_failed_import_leaves_the_version_in_use_and_is_continued(store: Store, uri: str, tmp_path: Path) -> None:
    store.open(ENCODER, create=True)
    store.upsert([(DOCUMENTS[0], Chunk("old", "", None, 0))], VECTORS[:1])
    bulk = begin(store, tmp_path, Misdirected(store, {"00000002.parquet": "absent.parquet"}))
    write(bulk, DOCUMENTS)
    with pytest.raises(StoreError, match=r"absent.parquet.*version in use is unchanged. The 200 chunks are kept in"):
        bulk.finish(seen(DOCUMENTS))
    bulk.abandon()
    bulk.close()
    reader = Store(uri, store.collection, consistency="Strong")
    reader.open(ENCODER)
    assert reader.count() == 1
    assert store.milvus.call("list_collections").count(f"{store.collection}_v2") == 0
    again = begin(store, tmp_path)
    assert again.content_hashes(["id3", "id199", "absent"]) == {"id3": {"c3"}, "id199": {"c199"}}
    again.finish(seen(DOCUMENTS))
    again.close()
    reader.open(ENCODER)
    assert reader.count() == 200
    reader.close()


def test_an_import_of_too_few_or_too_many_rows_is_not_published(store: Store, tmp_path: Path) -> None:
    bulk = begin(store, tmp_path, Misdirected(store, {"00000002.parquet": "00000001.parquet"}))
    write(bulk, DOCUMENTS[:120])
    with pytest.raises(StoreError, match=r"reports \d+ imported chunks of 120 that were written to \d files"):
        bulk.finish(seen(DOCUMENTS[:120]))
    bulk.abandon()
    bulk.close()
    assert store.versions.resolve(store.collection) is None


def test_what_changed_since_an_interrupted_run_is_replaced(store: Store, tmp_path: Path) -> None:
    stopped = begin(store, tmp_path)
    write(stopped, DOCUMENTS[:100])
    stopped.abandon()
    stopped.close()
    (folder,) = tmp_path.iterdir()
    last = max(folder.glob("*.parquet"))
    (folder / "00000099.parquet").write_bytes(last.read_bytes()[:100])  # the end of a copy is missing
    changed = [replace(document, content_hash=f"new{n}") for n, document in enumerate(DOCUMENTS[:10])]
    bulk = begin(store, tmp_path)
    write(bulk, changed)
    bulk.finish(seen(DOCUMENTS[:90]))  # ten are gone
    bulk.close()
    assert store.count() == 90
    assert store.content_hashes(["id0", "id50", "id95"]) == {"id0": {"new0"}, "id50": {"c50"}}


def test_few_chunks_are_written_in_ordinary_calls(store: Store, tmp_path: Path) -> None:
    jobs = Misdirected(store, {})
    bulk = begin(store, tmp_path, jobs, chunks_min=200)
    write(bulk, DOCUMENTS)
    bulk.finish(seen(DOCUMENTS))
    bulk.close()
    assert (store.count(), jobs.started) == (200, [])
    chunk = store.chunks([hit.id for hit in store.search(VECTORS[9:10], 1)[0]]).popitem()[1]
    assert (chunk.source, dict(chunk.metadata)) == ("9.md", {"year": 9})


def test_ordinary_ingestion_does_not_use_what_an_import_left(store: Store) -> None:
    store.stage(ENCODER)
    left = store.target
    store.open(ENCODER, create=True)
    assert store.target != left
    store.rebuild(ENCODER)
    assert store.target != left
    store.stage(ENCODER)
    assert left not in store.milvus.call("list_collections")


def test_documents_are_added_only_without_bulk(store: Store, tmp_path: Path) -> None:
    store.open(ENCODER, create=True)
    store.upsert([(DOCUMENTS[0], Chunk("old", "", None, 0))], VECTORS[:1])
    with pytest.raises(InvalidOption, match="has 1 chunks.*--rebuild, or add to them without --bulk"):
        open_bulk(store, ENCODER, IngestOptions(bulk=str(tmp_path)))
    assert open_bulk(store, ENCODER, IngestOptions(bulk=str(tmp_path), bulk_chunks_min=9)) is None


@pytest.mark.triton
def test_rows_report_and_exit_codes_are_those_of_ordinary_calls(url: str, uri: str, tmp_path: Path) -> None:
    documents, place = tmp_path / "documents", tmp_path / "import"
    documents.mkdir()
    for n in range(12):
        (documents / f"{n}.txt").write_text(" ".join(f"Fact {k} of document {n} is {k * n}." for k in range(90)))
    (documents / "broken.pdf").write_bytes(b"%PDF-1.4\n no PDF")
    collections = ("ordinary", "bulk")
    reports, rows, vectors = [], [], []
    for name, arguments in zip(collections, ([], ["--bulk", str(place)]), strict=True):
        done = ingest(url, uri, name, str(documents), *arguments, "--json")
        assert done.returncode == 3, done.stderr
        reports.append(json.loads(done.stdout))
        found = MilvusClient(uri).query(name, "chunk_index >= 0", [*FIELDS, "vector"], consistency_level="Strong")
        in_order = sorted(map(dict, found), key=lambda row: row["id"])
        vectors.append(np.array([row.pop("vector") for row in in_order]))
        rows.append(in_order)
    times = ("seconds", "tokens_per_s")
    ordinary, bulk = ({name: value for name, value in each.items() if name not in times} for each in reports)
    assert bulk == ordinary
    assert bulk["chunks"] == len(rows[1]) > 100
    assert rows[1] == rows[0]
    assert np.allclose(vectors[1], vectors[0], atol=0.01)
    assert list(place.iterdir()) == []
    refused = ingest(url, uri, "bulk", str(documents), "--bulk", str(place))
    assert (refused.returncode, "replace them with --rebuild" in refused.stderr) == (1, True)
    rebuilt = ingest(url, uri, "bulk", str(documents), "--bulk", str(place), "--rebuild", "--json")
    assert (rebuilt.returncode, json.loads(rebuilt.stdout)["added"]) == (3, bulk["added"])
    for name in collections:
        drop_collection(uri, name)


def ingest(url: str, uri: str, collection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "retriton", "ingest", "--url", url, "--milvus", uri, "--collection", collection]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=200)
