"""Reading files in worker processes. A named pipe is a file that a worker can read without end."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import pytest

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import file_parts
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest.reading import Reader, ReadPart
from tests.tokenizers import word_encoder

SIZE = ChunkSize(64, 0)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    opened = Reader(word_encoder(), SIZE, workers=1)
    yield opened
    opened.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.txt")
    return tmp_path / "pipe.txt"


@contextmanager
def when_opened(pipe: Path, action: Callable[[], None]) -> Iterator[None]:
    """Runs ``action`` in a thread as soon as ``pipe`` is opened for reading."""

    def run() -> None:
        with pipe.open("wb"):  # blocks until the other end is open
            action()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()


def read(reader: Reader, files: list[Path], known: dict[str, set[str]] | None = None) -> list[ReadPart]:
    parts = (part for file in files for part in file_parts(file))
    return list(reader.read(parts, lambda ids: known or {}))


def test_a_parser_that_crashes_makes_only_its_file_unreadable(pipe: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first text")
    others = set(multiprocessing.active_children())

    def kill_worker() -> None:
        (worker,) = set(multiprocessing.active_children()) - others
        worker.kill()

    reader = Reader(word_encoder(), SIZE, workers=1)
    try:
        with when_opened(pipe, kill_worker):
            crashed, changed = read(reader, [pipe, tmp_path / "a.txt"])
    finally:
        reader.close()
    assert [entry.reason for entry in crashed.unreadable] == ["its parser crashed (exit code -9)"]
    assert len(changed.changed) == 1


def test_a_parser_that_hangs_is_stopped(pipe: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first text")
    reader = Reader(word_encoder(), SIZE, workers=1, parse_seconds_max=0.5)
    try:
        hanging, changed = read(reader, [pipe, tmp_path / "a.txt"])
    finally:
        reader.close()
    assert [entry.reason for entry in hanging.unreadable] == ["its parser took more than 0.5 s"]
    assert len(changed.changed) == 1


def test_closing_cancels_a_read(pipe: Path) -> None:
    reader = Reader(word_encoder(), SIZE, workers=1)
    with when_opened(pipe, reader.close), pytest.raises(CancelledError):
        read(reader, [pipe])


def test_parts_are_in_order_with_changed_and_unreadable_documents(reader: Reader, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.txt", "b.txt", "gone.txt", "c.jsonl")]
    files[0].write_text("first text")
    files[1].touch()
    files[3].write_text('{"_id": "x", "text": "one"}\nbroken\n{"_id": "y", "text": "two"}\n')
    parts = read(reader, files)
    assert [part.part.file.name for part in parts] == ["a.txt", "b.txt", "gone.txt", "c.jsonl"]
    assert [len(part.changed) for part in parts] == [1, 0, 0, 2]
    assert parts[0].size_bytes == len("first text")
    assert "empty" in parts[1].unreadable[0].reason
    assert "cannot be read" in parts[2].unreadable[0].reason
    assert [entry.source for entry in parts[3].unreadable] == [f"{files[3]}#2"]
    assert [entry.document.source for entry in parts[3].changed] == [f"{files[3]}#x", f"{files[3]}#y"]


def test_unchanged_documents_are_not_read_again(reader: Reader, tmp_path: Path) -> None:
    files = [tmp_path / "a.txt", tmp_path / "c.jsonl"]
    files[0].write_text("first text")
    files[1].write_text('{"_id": "x", "text": "one"}\n{"_id": "y", "text": "two"}\n')
    first = read(reader, files)
    known = {entry.document.id: {entry.document.content_hash} for part in first for entry in part.changed}
    again = read(reader, files, known)
    assert [(len(part.changed), len(part.unchanged)) for part in again] == [(0, 1), (0, 2)]
    files[1].write_text('{"_id": "x", "text": "one"}\n{"_id": "y", "text": "new"}\n')
    (changed,) = read(reader, files[1:], known)
    assert [entry.document.source for entry in changed.changed] == [f"{files[1]}#y"]
    assert changed.changed[0].replaces
    assert len(changed.unchanged) == 1


def test_chunks_without_room_for_text_are_rejected_at_once() -> None:
    with pytest.raises(PipelineError, match="leave no room"):
        Reader(word_encoder(), ChunkSize(20, 0), workers=1)
