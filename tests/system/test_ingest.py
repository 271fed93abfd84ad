"""Ingestion against the real server and Milvus Lite: what it adds, replaces, skips and survives."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from retriton_client import AsyncClient, EncoderInfo, Retry, Unavailable
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import find_files
from retriton_pipeline.ingest import Ingestion, IngestReport, ingestion, pruning
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.store import Store, StoredDocument
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV
from tests.searching import retrieve

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
FACTS = {"red.txt": "The red house is on the hill.", "blue.md": "# Sea\n\nThe blue boat sails on the sea."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in FACTS.items():
        (folder / name).write_text(text)
    return folder


def ingest(url: str, store: Store, folder: Path, retry: Retry | None = None) -> IngestReport:
    return asyncio.run(ingest_folder(url, store, folder, retry))[0]


async def ingest_folder(
    url: str,
    store: Store,
    folder: Path,
    retry: Retry | None = None,
    size: ChunkSize = ChunkSize(),  # noqa: B008
    prune: bool = False,
) -> tuple[IngestReport, int]:
    async with AsyncClient(url, retry=retry) as client:
        encoder = await client.encoder_info()
        store.open(encoder, create=True)
        reader = Reader(encoder, size, workers=1)
        try:
            run = Ingestion(client, store, reader)
            report = await run.run(list(find_files([folder])))
        finally:
            reader.close()
        return report, pruning.prune(store, run.seen, [folder]) if prune else 0


def test_what_is_ingested_is_found(url: str, store: Store, folder: Path) -> None:
    report = ingest(url, store, folder)
    assert (report.documents, report.added, report.chunks) == (2, 2, 2)
    assert report.tokens > 10
    hits = retrieve(url, store, "What colour is the boat?", top_k=2).passages
    assert hits[0].source == str(folder / "blue.md")
    assert hits[0].text == "Sea\n\nThe blue boat sails on the sea."
    assert hits[0].score > hits[1].score


def test_deletions_that_wait_do_not_hold_up_writing(
    url: str, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Milvus server takes 0.3 s for each deletion, whatever it deletes."""
    calls = []

    def slow(documents: Sequence[StoredDocument]) -> None:
        calls.append(len(documents))
        time.sleep(0.5)
        delete(documents)

    delete = store.delete_other_contents
    monkeypatch.setattr(store, "delete_other_contents", slow)
    monkeypatch.setattr(ingestion, "_BATCH_CHUNKS", 4)
    for number in range(120):
        (folder / f"{number}.txt").write_text(f"File {number} has one chunk.")
    for added, unchanged in ((122, 0), (0, 122)):
        report = ingest(url, store, folder)
        assert (report.added, report.unchanged, sum(calls)) == (added, unchanged, 122)
        assert len(calls) <= 10, "fewer than the 31 batches, and than files"
        calls.clear()


def test_twice_adds_nothing_and_a_change_replaces(url: str, store: Store, folder: Path) -> None:
    ingest(url, store, folder)
    again = ingest(url, store, folder)
    assert (again.unchanged, again.added, again.replaced, again.chunks, store.count()) == (2, 0, 0, 0, 2)
    (folder / "red.txt").write_text("The green house is in the valley.")
    changed = ingest(url, store, folder)
    assert (changed.unchanged, changed.added, changed.replaced, store.count()) == (1, 0, 1, 2)
    texts = {hit.text for hit in retrieve(url, store, "house", top_k=10).passages}
    assert "The green house is in the valley." in texts
    assert "The red house is on the hill." not in texts


def test_bad_files_are_named_and_the_others_arrive(url: str, store: Store, folder: Path) -> None:
    (folder / "empty.txt").touch()
    (folder / "zero.pdf").touch()
    (folder / "latin.txt").write_bytes("Größe und Maß der Straße, für alle Fußgänger geprüft.".encode("cp1252"))
    (folder / "image.png").write_bytes(b"\x89PNG")
    report = ingest(url, store, folder)
    assert report.added == 3
    assert {Path(skipped.source).name: skipped.reason.split()[2] for skipped in report.skipped} == {
        "empty.txt": "empty",
        "zero.pdf": "empty",
        "image.png": "type",
    }


def test_an_interrupted_document_is_completed(url: str, store: Store, folder: Path) -> None:
    long = folder / "long.txt"
    long.write_text(" ".join(f"Sentence number {n} says something about the topic {n % 7}." for n in range(200)))
    ingest(url, store, folder)
    whole = store.count()
    store.milvus.client.delete(
        store.collection, filter=f'source == "{long}" and chunk_index < 3'
    )  # as kill -9 leaves it
    report = ingest(url, store, folder)
    assert (report.added, report.unchanged, store.count()) == (1, 2, whole)


def test_triton_killed_in_the_middle_and_started_again(repository: Path, store: Store, folder: Path) -> None:
    for n in range(100):
        (folder / f"{n}.txt").write_text(" ".join(f"Fact {k} of document {n} is {k * n}." for k in range(80)))
    endpoint = Endpoint.free()
    first = TritonServer(TritonWheel(SERVER_ENV), repository, endpoint)
    first.wait_ready()
    outcome: list[IngestReport] = []
    patient = Retry(attempts_max=100, delay_first_s=0.1, delay_max_s=0.5)
    running = threading.Thread(target=lambda: outcome.append(ingest(endpoint.grpc_url, store, folder, patient)))
    running.start()
    try:
        deadline = time.monotonic() + 60
        while not _stored(store) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running.is_alive()
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.stop()
    with TritonServer(TritonWheel(SERVER_ENV), repository, endpoint) as second:
        second.wait_ready()
        running.join(120)
        assert outcome
        assert (outcome[0].documents, outcome[0].added, outcome[0].skipped) == (102, 102, [])
        assert ingest(endpoint.grpc_url, store, folder).unchanged == 102


def _stored(store: Store) -> int:
    return store.count() if store.milvus.client.has_collection(store.collection) else 0


def test_without_a_server_nothing_stored_is_lost(url: str, store: Store, folder: Path) -> None:
    ingest(url, store, folder)
    with pytest.raises(Unavailable):
        ingest("127.0.0.1:9", store, folder, Retry(attempts_max=1))
    assert store.count() == 2


def test_a_server_that_stays_away_ends_the_run_with_its_reason(repository: Path, store: Store, folder: Path) -> None:
    for n in range(200):
        (folder / f"{n}.txt").write_text(" ".join(f"Fact {k} of document {n} is {k * n}." for k in range(40)))
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        killer = threading.Timer(2.0, lambda: os.killpg(server.pid, signal.SIGKILL))
        killer.start()
        start = time.monotonic()
        with pytest.raises(Unavailable):
            ingest(server.endpoint.grpc_url, store, folder, Retry(attempts_max=5, delay_max_s=0.2))
        assert time.monotonic() - start < 30


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_nothing_that_the_next_does_not_repair(
    url: str, encoder: EncoderInfo, tmp_path: Path, folder: Path, stop: signal.Signals
) -> None:
    """kill -9 in the middle of a new version, then the old version again: only what the files say is found."""
    file = str(tmp_path / "killed.db")
    old = {f"{n}.txt": " ".join(f"Old fact {k} of document {n}." for k in range(200)) for n in range(30)}
    new = {name: text.replace("Old", "New") for name, text in old.items()}
    command = [str(Path(sys.executable).parent / "retriton"), "ingest", str(folder), "--milvus", file, "--url", url]

    def write(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            (folder / name).write_text(text)

    write(old)
    start = time.monotonic()
    subprocess.run(command, check=True, timeout=120)
    undisturbed_s = time.monotonic() - start
    write(new)
    running = subprocess.Popen(command)
    time.sleep(0.6 * undisturbed_s)  # in the middle of embedding
    running.send_signal(stop)
    assert running.wait(30) != 0
    write(old)
    subprocess.run(command, check=True, timeout=120)
    store = Store(file, "documents")
    store.open(encoder)
    rows = store.milvus.client.query("documents", filter="chunk_index >= 0", output_fields=["text"], limit=16_000)
    assert rows
    assert not [row for row in rows if "New" in row["text"]]
    assert sum("Old" in row["text"] for row in rows) >= 30
    store.close()


def test_one_file_is_one_document_however_it_is_named(
    url: str, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(url, store, folder)
    monkeypatch.chdir(folder.parent)
    assert ingest(url, store, Path(folder.name)).unchanged == 2
    other = folder.parent / "other"
    other.mkdir()
    (other / "red.txt").write_text("Another red file of the same name.")
    monkeypatch.chdir(other)
    report = ingest(url, store, Path())
    assert (report.added, report.replaced, store.count()) == (1, 0, 3)


def test_strange_names_and_contents_do_not_stop_the_run(url: str, store: Store, folder: Path) -> None:
    (folder / os.fsdecode(b"b\xff.txt")).write_text("A file with a name that is not UTF-8.")
    (folder / "broken-link.txt").symlink_to(folder / "nowhere")
    (folder / "odd.md").write_text("One.\n\nTwo \x0b\x0c\u2028 three.\n\nFour.\n")
    report = ingest(url, store, folder)
    assert report.added == 4
    assert [Path(skipped.source).name for skipped in report.skipped] == ["broken-link.txt"]


def test_records_of_a_file_are_documents(url: str, store: Store, folder: Path) -> None:
    records = [
        {"_id": f"r{n}", "title": f"Record {n}", "text": f"Fact {n} of the register.", "year": n} for n in range(5)
    ]
    file = folder / "register.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records) + "not json\n")
    report = ingest(url, store, folder)
    assert (report.documents, report.added, [entry.source for entry in report.skipped]) == (8, 7, [f"{file}#line-6"])
    found = retrieve(url, store, "a fact of the register", top_k=10, filter='metadata["year"] > 2').passages
    assert {hit.source for hit in found} == {f"{file}#r3", f"{file}#r4"}
    records[3]["text"] = "Another fact."
    file.write_text("".join(json.dumps(record) + "\n" for record in records[1:]))
    again, pruned = ingest_and_prune(url, store, folder)
    assert (again.replaced, again.unchanged, again.added, pruned) == (1, 5, 0, 1)


def test_of_records_with_one_id_one_stays(url: str, store: Store, folder: Path) -> None:
    (folder / "twice.jsonl").write_text('{"_id": "x", "text": "The first one."}\n{"_id": "x", "text": "The other."}\n')
    for run in range(2):
        report = ingest(url, store, folder)
        assert (report.added, report.replaced, store.count()) == (0 if run else 3, 0, 3)
        assert [entry.reason for entry in report.skipped] == ["another record of the file has the same id"]


def test_pruning_removes_what_is_gone_from_the_given_paths_alone(url: str, store: Store, folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "kept.txt").write_text("This file is of another folder.")
    ingest(url, store, other)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    ingest(url, store, folder)
    (folder / "red.txt").unlink()
    (other / "kept.txt").unlink()
    report, pruned = ingest_and_prune(url, store, folder)
    assert (pruned, report.unchanged) == (1, 1)
    assert {Path(document.source).name for document in store.documents()} == {"blue.md", "kept.txt"}


def test_a_folder_that_cannot_be_listed_keeps_what_was_stored(
    url: str, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    (closed / "kept.txt").write_text("This file is in a folder that will be closed.")
    ingest(url, store, folder)
    scandir = os.scandir

    def refuse(path: object) -> object:
        if os.fspath(path) == str(closed):  # type: ignore[call-overload]
            raise PermissionError(13, "Permission denied", str(closed))
        return scandir(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", refuse)
    report, pruned = ingest_and_prune(url, store, folder)
    assert (pruned, store.count()) == (0, 3)
    assert [(entry.source, entry.reason) for entry in report.skipped] == [(str(closed), "the folder cannot be listed")]


def test_an_unfinished_document_that_is_gone_is_pruned(url: str, store: Store, folder: Path) -> None:
    long = folder / "long.txt"
    long.write_text(" ".join(f"Sentence number {n} says something about the topic {n % 7}." for n in range(200)))
    ingest(url, store, folder)
    store.milvus.client.delete(store.collection, filter=f'source == "{long}" and chunk_index < 3')
    long.unlink()
    _, pruned = ingest_and_prune(url, store, folder)
    assert (pruned, store.count()) == (1, 2)


def test_an_id_that_comes_twice_in_parts_of_a_file_is_one_document(url: str, store: Store, folder: Path) -> None:
    file = folder / "register.jsonl"
    file.write_text('{"_id": "a", "text": "A."}\n{"_id": "x", "text": "The old one."}\n')
    ingest(url, store, folder)
    padding = "".join(f'{{"_id": "p{n}", "text": ""}}\n' for n in range(250_000))
    file.write_text('{"_id": "x", "text": "The new one."}\n' + padding + '{"_id": "x", "text": "The old one."}\n')
    for _ in range(2):
        report = ingest(url, store, folder)
        assert report.skipped[-1].reason == "another record of the file has the same id"
        texts = {row["text"] for row in store._query("chunk_index >= 0", ["text"])}
        assert len({"The new one.", "The old one."} & texts) == 1


def test_a_file_that_became_unreadable_keeps_what_was_stored(url: str, store: Store, folder: Path) -> None:
    ingest(url, store, folder)
    (folder / "red.txt").write_bytes(b"\0\1\2" * 100)
    report, pruned = ingest_and_prune(url, store, folder)
    assert (pruned, len(report.skipped), store.count()) == (0, 1, 2)


def ingest_and_prune(url: str, store: Store, folder: Path) -> tuple[IngestReport, int]:
    return asyncio.run(ingest_folder(url, store, folder, None, prune=True))
