"""Milvus Lite's process and file: it ends during calls, leaves logs, and files cannot be opened."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import StoreError, StoreInterrupted
from retriton_pipeline.store import Hit, Store, StoredDocument, lite

pytestmark = pytest.mark.milvus
ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", "{}")
VECTORS = np.eye(4, dtype=np.float32)


def add(store: Store, number: int) -> None:
    document = StoredDocument(f"id{number}", f"{number}.md", "T", "c")
    store.upsert([(document, Chunk(f"text {number}", "", None, 0))], VECTORS[number % 4 : number % 4 + 1])


@pytest.fixture
def filled(store: Store) -> Store:
    store.open(ENCODER, create=True)
    add(store, 0)
    return store


def kill(store: Store, after_s: float = 0.0) -> None:
    process = lite.start_server(store.uri)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_searches_in_threads_do_not_import_scipy(tmp_path: Path) -> None:
    """At its first vectors, pymilvus executes that module without a lock: "KeyError: 'scipy.sparse'", now and then."""
    code = (
        "import sys; from retriton_pipeline.store.milvus import Milvus\n"
        f"milvus = Milvus({str(tmp_path / 'documents.db')!r}); loaded = 'scipy.sparse' in sys.modules\n"
        "milvus.close(); assert loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def sources(hits: list[Hit]) -> list[str]:
    return [hit.chunk.source for hit in hits if hit.chunk]


def test_the_next_search_opens_the_file_again(filled: Store) -> None:
    other = Store(filled.uri, "documents")
    other.open(ENCODER)
    kill(filled)
    for store in (filled, other, filled):
        assert sources(store.search(VECTORS[:1], 9, with_chunks=True)[0]) == ["0.md"]
        assert sources(store.search_bm25(["text"], 9, with_chunks=True)[0]) == ["0.md"]
    other.close()


def test_a_search_that_ends_milvus_is_sent_once(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    search = filled.milvus.client.search

    def poisonous(*args: object, **kwargs: object) -> object:
        sent.append(args)
        return search(*args, **{**kwargs, "filter": "page/0==1"})

    monkeypatch.setattr(filled.milvus.client, "search", poisonous)
    with pytest.raises(StoreInterrupted, match=r"Milvus Lite ended \(-8\) during the call"):
        filled.search(VECTORS[:1], 9)
    assert len(sent) == 1
    assert filled.search(VECTORS[:1], 9)[0]


def test_writes_of_other_callers_survive(filled: Store) -> None:
    def poison() -> None:
        other = Store(filled.uri, "documents")
        other.open(ENCODER)
        for _ in range(3):
            kill(other, after_s=0.1)
            other.count()
        other.close()

    thread = threading.Thread(target=poison)
    thread.start()
    written = 1
    while thread.is_alive() or written < 20:
        add(filled, written)
        written += 1
    thread.join()
    assert filled.count() == written
    assert len(list(filled.documents())) == written


def test_a_process_waits_for_a_file_and_says_so(filled: Store) -> None:
    code = f"from retriton_pipeline.store import lite; lite.acquire({filled.uri!r}, 0.3); lite.release({filled.uri!r})"
    assert not lite.is_wanted(filled.uri)
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is in use by another process" in refused.stderr
    assert lite.is_wanted(filled.uri)
    assert not lite.is_wanted(filled.uri)  # it has given up
    filled.close()
    subprocess.run([sys.executable, "-c", code], check=True)
    again = Store(filled.uri, "documents")
    assert not lite.is_wanted(filled.uri)
    again.close()


def test_a_server_that_starts_or_ends_delays_nobody_who_asks_whether_it_is_wanted(tmp_path: Path) -> None:
    file = str(tmp_path / "milvus.db")
    opening = threading.Thread(target=lambda: Store(file, "documents").close())
    opening.start()
    delays_s = []
    while opening.is_alive():
        start_s = time.monotonic()
        assert not lite.is_wanted(file)
        delays_s.append(time.monotonic() - start_s)
        time.sleep(0.01)
    opening.join()
    assert max(delays_s) < 0.3


def test_a_link_may_change_while_its_file_is_open(filled: Store, tmp_path: Path) -> None:
    uri = tmp_path / "link.db"
    uri.symlink_to(filled.uri)
    linked = Store(str(uri), "documents")
    uri.unlink()
    uri.symlink_to(tmp_path / "second.db")
    linked.close()
    second = Store(str(uri), "documents")
    code = f"from retriton_pipeline.store import lite; lite.acquire({str(uri)!r}, 0.1)"
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is in use by another process" in refused.stderr
    second.close()
    assert filled.count() == 1


def test_a_file_is_released_though_its_server_was_not_stopped(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError("the folder was made read-only: its lock cannot be removed")

    monkeypatch.setattr("milvus_lite.server_manager.server_manager_instance.release_server", refuse)
    with pytest.raises(PermissionError):
        filled.close()
    monkeypatch.undo()
    with closing(Store(filled.uri, "documents")) as again:
        again.open(ENCODER)
        assert again.count() == 1


def test_logs_are_beside_the_file_while_it_is_open(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("milvus.*"))
    store = Store(str(tmp_path / "milvus.db"), "documents")
    store.open(ENCODER, create=True)
    assert list((tmp_path / ".milvus.db.log").iterdir())
    assert "GLOG_log_dir" not in os.environ
    kill(store)
    store.count()
    store.close()
    assert {path.name for path in tmp_path.iterdir()} <= {"milvus.db", ".milvus.db.owner", ".milvus.db.lock"}
    mine = set(Path(tempfile.gettempdir()).glob("milvus.*")) - before
    assert not [path for path in mine if path.name.endswith(f".{os.getpid()}")]


def test_files_that_cannot_be_opened_are_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("this is not a database, but a text that is longer than the header of one" * 9)
    (tmp_path / "note").write_text("")
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE photos (id INTEGER)")
    database.close()
    cases = {
        "folder.db": "not a file",
        "text.db": "damaged",
        "other.db": "another program",
        "note/milvus.db": "folder of",
        "é.db": "letters, digits",
        "a" * 40 + ".db": "1 to 36",
        "nul\0.db": "neither",
        "sp ace.db": "letters, digits",
    }
    for name, reason in cases.items():
        started = time.monotonic()
        with pytest.raises(StoreError, match=reason):
            Store(str(tmp_path / name), "documents")
        assert time.monotonic() - started < 2
    with sqlite3.connect(tmp_path / "other.db") as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]
    database.close()


@pytest.mark.parametrize("file", ["/proc/milvus.db", "/sys/x/milvus.db"])
def test_folders_that_cannot_be_written_are_named(file: str) -> None:
    with pytest.raises(StoreError, match=r"--milvus FILE.db"):
        Store(file, "documents")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(tmp_path)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_an_error_and_what_was_stored_is_kept(small_disk: Path) -> None:
    store = Store(str(small_disk / "milvus.db"), "documents")
    store.open(ENCODER, create=True)
    written = 0
    with pytest.raises(StoreError, match=r"is full: [\d.]+ MB are free, .* up to [\d.]+ MB.*the same command again"):
        for written in range(1000):
            rows = [(StoredDocument(f"{written}", "s", "T", "c"), Chunk("word " * 500, "", None, n)) for n in range(64)]
            store.upsert(rows, np.tile(VECTORS, (16, 1)))
    assert written > 1
    store.close()
    store = Store(str(small_disk / "milvus.db"), "documents")
    store.open(ENCODER)
    assert store.count() == written * 64
    store.close()


def test_chunks_that_are_not_stored_are_an_error(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled.milvus.client, "upsert", lambda *args, **kwargs: {"upsert_count": 1})
    with pytest.raises(StoreError, match="stored only 0 of 1 chunks"):
        add(filled, 1)


def test_no_home_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    store = Store(str(tmp_path / "milvus.db"), "documents")
    store.open(ENCODER, create=True)
    store.close()
    assert "HOME" not in os.environ


def plan_of_a_write(uri: str) -> str:
    with closing(sqlite3.connect(uri)) as database:
        rows = database.execute("EXPLAIN QUERY PLAN DELETE FROM documents WHERE milvus_id IN ('a', 'b')").fetchall()
    return str(rows[0][-1])


def test_servers_share_no_folder_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server removes ``~/.cache/milvus`` when it ends, also from under one that is starting."""
    (home := tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(home))
    store = Store(str(tmp_path / "documents.db"), "documents")
    store.open(ENCODER, create=True)
    add(store, 0)
    assert sources(store.search(VECTORS[:1], 9, with_chunks=True)[0]) == ["0.md"]
    assert os.environ["HOME"] == str(home)
    store.close()
    assert not list(home.iterdir())


def test_a_server_may_start_slowly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin" / "env"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nsleep 1.5\nexec {shutil.which("env")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    start = time.monotonic()
    Store(str(tmp_path / "milvus.db"), "documents").close()
    assert 1.5 < time.monotonic() - start < 20


def test_writes_do_not_read_the_whole_table(filled: Store) -> None:
    assert "USING INDEX" in plan_of_a_write(filled.uri)
    filled.close()
    with closing(sqlite3.connect(filled.uri)) as database:  # a file of an earlier version
        database.execute('DROP INDEX "documents ids"')
    assert "SCAN" in plan_of_a_write(filled.uri)
    again = Store(filled.uri, "documents")
    again.open(ENCODER)
    assert "USING INDEX" in plan_of_a_write(filled.uri)
    add(again, 1)
    assert again.count() == 2


def test_a_large_file_has_more_time_to_be_loaded(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = {}
    for method in ("load_collection", "list_indexes"):
        call = getattr(filled.milvus.client, method)
        monkeypatch.setattr(
            filled.milvus.client,
            method,
            lambda *args, _method=method, _call=call, timeout, **rest: (
                timeouts.update({_method: timeout}) or _call(*args, timeout=timeout, **rest)
            ),
        )
    with Path(filled.uri).open("ab") as file:
        file.truncate(1_200_000_000)  # sparse: as large as one of 300,000 chunks
    filled.open(ENCODER)
    assert timeouts["list_indexes"] == 30
    assert timeouts["load_collection"] > 300


def test_a_large_collection_warns_of_slow_searches(
    filled: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("retriton_pipeline.store.store.LITE_CHUNKS_MAX", 1)
    filled.warn_if_slow()
    assert not caplog.records
    add(filled, 1)
    filled.warn_if_slow()
    assert f"has 2 chunks in collection '{filled.collection}'" in caplog.text
    assert "--milvus http://HOST:19530" in caplog.text
