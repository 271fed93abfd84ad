"""Reading files in worker processes, which crash, hang, and end with their parent.

A PDF whose form draws itself twice keeps a worker busy until its memory is exhausted.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import pytest

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import SourceFile, file_parts
from retriton_pipeline.errors import InvalidOption, PipelineError
from retriton_pipeline.ingest import ParserLimits
from retriton_pipeline.ingest.parser_limits import MIB, available_memory
from retriton_pipeline.ingest.parsing import ReadPart
from retriton_pipeline.ingest.reading import Reader
from tests.hostile.archives import epub
from tests.hostile.pdfs import recursive_form_pdf
from tests.tokenizers import word_encoder

SIZE = ChunkSize(64, 0)
BUSY_SECONDS = 0.1
HALF_A_SECOND = ParserLimits(seconds_min=0.5, seconds_max=0.5)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    opened = Reader(word_encoder(), SIZE, workers=1)
    yield opened
    opened.close()


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    (tmp_path / "endless.pdf").write_bytes(recursive_form_pdf(1))
    return tmp_path / "endless.pdf"


@contextmanager
def when_busy(reader: Reader, others: set[multiprocessing.Process], action: Callable[[int], None]) -> Iterator[None]:
    """Calls ``action`` with the id of the only worker of ``reader`` as soon as it parses."""
    (worker,) = set(multiprocessing.active_children()) - others
    assert worker.pid
    before = cpu_seconds(worker.pid)

    def run() -> None:
        assert wait_until(lambda: cpu_seconds(worker.pid or 0) > before + BUSY_SECONDS)
        action(worker.pid or 0)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()


def cpu_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def read(reader: Reader, files: list[Path], known: dict[str, set[str]] | None = None) -> list[ReadPart]:
    parts = (part for file in files for part in file_parts(SourceFile(file)))
    return list(reader.read(parts, lambda ids: known or {}))


def started_reader(file: Path) -> tuple[Reader, set[multiprocessing.Process]]:
    """A reader with one worker that has read ``file``, and the processes that there were before."""
    file.write_text("first text")
    others = set(multiprocessing.active_children())
    reader = Reader(word_encoder(), SIZE, workers=1)
    read(reader, [file])
    return reader, others  # type: ignore[return-value]


def test_a_parser_that_crashes_makes_only_its_file_unreadable(endless: Path, tmp_path: Path) -> None:
    reader, others = started_reader(tmp_path / "a.txt")
    try:
        with when_busy(reader, others, lambda pid: os.kill(pid, signal.SIGKILL)):
            crashed, changed = read(reader, [endless, tmp_path / "a.txt"])
    finally:
        reader.close()
    (entry,) = crashed.unreadable
    assert entry.reason.startswith("its parser crashed (exit code -9): it is damaged, or it needs more than ")
    assert len(changed.changed) == 1


def test_a_parser_that_hangs_is_stopped(endless: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first text")
    reader = Reader(word_encoder(), SIZE, workers=1, limits=HALF_A_SECOND)
    try:
        hanging, changed = read(reader, [endless, tmp_path / "a.txt"])
    finally:
        reader.close()
    (entry,) = hanging.unreadable
    assert entry.reason == (
        "its parser took more than 0.5 s: split it, or raise the limit with RETRITON_PARSER_SECONDS_MIN and "
        "RETRITON_PARSER_SECONDS_MAX"
    )
    assert len(changed.changed) == 1


def test_closing_cancels_a_read(endless: Path, tmp_path: Path) -> None:
    reader, others = started_reader(tmp_path / "a.txt")
    with when_busy(reader, others, lambda pid: reader.close()), pytest.raises(CancelledError):
        read(reader, [endless])


def test_busy_workers_end_with_a_killed_parent_and_leave_no_files(endless: Path, tmp_path: Path) -> None:
    script = """
        import multiprocessing, sys, threading
        from pathlib import Path
        from tests.pipeline.test_reading import read, started_reader
        reader, others = started_reader(Path(sys.argv[1]).with_name("a.txt"))
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        read(reader, [Path(sys.argv[1])])
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-c", textwrap.dedent(script), str(endless)]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        (worker,) = map(int, parent.stdout.readline().split())
        before = cpu_seconds(worker)
        assert wait_until(lambda: cpu_seconds(worker) > before + BUSY_SECONDS)
        parent.kill()
    assert wait_until(lambda: not Path(f"/proc/{worker}").exists() or "(zombie)" in status(worker))
    assert list(scratch.iterdir()) == []


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return "(zombie)"


def test_uploads_cannot_lead_out_of_their_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "a.txt").symlink_to(tmp_path / "secret.txt")
    (uploads / "b.jsonl").symlink_to(tmp_path / "secret.txt")
    reader = Reader(word_encoder(), SIZE, workers=1, base=uploads)
    try:
        parts = read(reader, sorted(uploads.iterdir()))
    finally:
        reader.close()
    reasons = [entry.reason for part in parts for entry in part.unreadable]
    assert len(reasons) == 2
    assert all("link that leads out of the folder" in reason for reason in reasons)


@pytest.mark.parametrize(("size_mib", "seconds"), [(0, 30), (1, 60), (2.5, 105), (100, 600)])
def test_the_time_limit_is_in_proportion_to_the_size(size_mib: float, seconds: float) -> None:
    assert ParserLimits().seconds(int(size_mib * MIB)) == seconds


def test_the_memory_limit_is_at_most_half_of_the_memory_for_all_workers() -> None:
    assert ParserLimits(memory_mib=300).memory_bytes(8) == 300 * MIB
    assert 256 * MIB <= ParserLimits().memory_bytes(1) <= 2048 * MIB
    assert ParserLimits().memory_bytes(1000) == 256 * MIB
    assert available_memory() > 0


def test_limits_are_read_from_the_environment() -> None:
    assert ParserLimits.from_environment({}) == ParserLimits()
    given = {"RETRITON_PARSER_MEMORY_MIB": "512", "RETRITON_PARSER_SECONDS_MAX": "90.5"}
    assert ParserLimits.from_environment(given) == ParserLimits(512, seconds_max=90.5)
    with pytest.raises(InvalidOption, match="not a number"):
        ParserLimits.from_environment({"RETRITON_PARSER_MEMORY_MIB": "2G"})
    with pytest.raises(InvalidOption, match="least not above the most"):
        ParserLimits.from_environment({"RETRITON_PARSER_SECONDS_MAX": "10"})


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
    assert [entry.source for entry in parts[3].unreadable] == [f"{files[3]}#line-2"]
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


def test_unreadable_parts_of_unchanged_documents_are_reported_again(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "a.epub"
    whole = epub("<p>Some text.</p>", distinct=2)
    file.write_bytes(whole.replace(b"c1.xhtml", b"c2.xhtml"))  # the package, which is compressed, refers to c1
    (first,) = read(reader, [file])
    known = {entry.document.id: {entry.document.content_hash} for entry in first.changed}
    (again,) = read(reader, [file], known)
    assert (len(first.changed), len(again.changed), len(again.unchanged)) == (1, 0, 1)
    assert [entry.source for entry in again.unreadable] == [f"{file}#c1.xhtml"]


def test_chunks_without_room_for_text_are_rejected_at_once() -> None:
    with pytest.raises(PipelineError, match="leave no room"):
        Reader(word_encoder(), ChunkSize(20, 0), workers=1)
