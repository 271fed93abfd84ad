"""Hostile documents end within limits of time and memory, with a result or a reason, and others are read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import SourceFile, file_parts
from retriton_pipeline.ingest import ParserLimits, Reader
from tests.hostile.documents import DOCUMENTS, make
from tests.hostile.pdfs import recursive_form_pdf
from tests.tokenizers import minilm_encoder

pytestmark = pytest.mark.timeout(1200)  # the first test waits for all documents
_MEMORY_MIB = 1024
_ORDINARY = "An ordinary sentence about nothing in particular, of fifteen words or so. " * 4000
_STOPPED = {"pdf_forms", "pdf_form_tree"}  # PDFium has no limits of its own: the process is stopped
_LIMIT_WORDS = ("took more than", "needs more than", "crashed")
Outcome = tuple[int, list[str]]  # number of chunks, reasons


def _read(reader: Reader, files: dict[str, Path]) -> dict[str, Outcome]:
    names = {file: name for name, file in files.items()}
    outcomes: dict[str, Outcome] = {}
    parts = (part for file in files.values() for part in file_parts(SourceFile(file)))
    for read in reader.read(parts, lambda ids: {}):
        chunks, reasons = outcomes.get(names[read.part.file], (0, []))
        chunks += sum(len(document.chunks) for document in read.changed)
        outcomes[names[read.part.file]] = (chunks, reasons + [entry.reason for entry in read.unreadable])
    return outcomes


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What becomes of all hostile documents, with time limits in proportion to the speed of the machine."""
    folder = tmp_path_factory.mktemp("hostile")
    ordinary = folder / "ordinary.txt"
    ordinary.write_text(_ORDINARY, encoding="utf-8")
    files = {"ordinary": ordinary}
    for name in DOCUMENTS:
        file_name, content = make(name)
        files[name] = folder / f"{name}{Path(file_name).suffix}"
        files[name].write_bytes(content)
    reader = Reader(minilm_encoder(), ChunkSize(), workers=1)
    try:
        _read(reader, {"ordinary": ordinary})  # imports the libraries
        started = time.monotonic()
        _read(reader, {"ordinary": ordinary})
        seconds = 10 + 30 * (time.monotonic() - started)
    finally:
        reader.close()
    reader = Reader(minilm_encoder(), ChunkSize(), 2, limits=ParserLimits(_MEMORY_MIB, seconds, 0, max(seconds, 600)))
    try:
        return _read(reader, files)
    finally:
        reader.close()


@pytest.mark.parametrize("name", [*DOCUMENTS, "ordinary"])
def test_hostile_documents_end_with_a_result_or_a_reason(name: str, outcomes: dict[str, Outcome]) -> None:
    chunks, reasons = outcomes[name]
    assert chunks or reasons
    stopped = [reason for reason in reasons if any(words in reason for words in _LIMIT_WORDS)]
    assert bool(stopped) == (name in _STOPPED)


def test_a_document_that_needs_too_much_memory_is_named_with_the_limit(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("large.json", "small.txt", "forms.pdf", "last.txt")}
    files["large.json"].write_text('{"text": "x", "a": [' + "{}," * 4_000_000 + "{}]}", encoding="utf-8")
    files["forms.pdf"].write_bytes(recursive_form_pdf(1))
    for name in ("small.txt", "last.txt"):
        files[name].write_text("text", encoding="utf-8")
    reader = Reader(minilm_encoder(), ChunkSize(), workers=1, limits=ParserLimits(memory_mib=256, seconds_min=60))
    try:
        outcomes = _read(reader, files)
    finally:
        reader.close()
    assert outcomes["large.json"][1] == [
        "it needs more than 256 MiB of memory while it is parsed: split it, or raise the limit with "
        "RETRITON_PARSER_MEMORY_MIB"
    ]
    (reason,) = outcomes["forms.pdf"][1]
    assert "crashed" in reason
    assert "256 MiB" in reason
    assert (outcomes["small.txt"], outcomes["last.txt"]) == ((1, []), (1, []))
