"""Reading files in processes of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import file_parts
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest import reading
from retriton_pipeline.ingest.reading import Reader, ReadPart
from tests.pipeline.word_tokenizer import WORDS

ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", WORDS)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    opened = Reader(ENCODER, ChunkSize(64, 0), workers=1)
    yield opened
    opened.close()


def read(reader: Reader, files: list[Path], known: dict[str, set[str]] | None = None) -> list[ReadPart]:
    parts = (part for file in files for part in file_parts(file))
    return list(reader.read(parts, lambda ids: known or {}))


def test_a_crash_costs_one_file(reader: Reader, tmp_path: Path) -> None:
    outcomes = list(reader._map(os._exit, [(3,)])) + list(reader._map(len, [("abc",)]))
    assert outcomes == ["its parser crashed (exit code 3)", 3]


def test_a_parser_that_hangs_is_ended(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_PARSE_SECONDS_MAX", 0.5)
    start = time.monotonic()
    assert list(reader._map(time.sleep, [(60,)])) == ["its parser took more than 0 s"]
    assert time.monotonic() - start < 20


def test_parts_come_in_order_with_what_changed_and_what_cannot_be_read(reader: Reader, tmp_path: Path) -> None:
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


def test_what_is_known_is_not_read_again(reader: Reader, tmp_path: Path) -> None:
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


def test_a_size_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(PipelineError, match="leave no room"):
        Reader(ENCODER, ChunkSize(20, 0), workers=1)


def test_closing_ends_a_read_that_waits(tmp_path: Path) -> None:
    busy = Reader(ENCODER, ChunkSize(64, 0), workers=1)
    waiting = busy._map(time.sleep, [(60,)])
    threading.Timer(1.0, busy.close).start()
    with pytest.raises(CancelledError):
        next(waiting)
