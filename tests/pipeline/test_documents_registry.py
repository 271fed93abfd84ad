"""The registry of formats, and the parser libraries that are imported on demand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retriton_pipeline.documents import SUFFIXES, load_document
from retriton_pipeline.documents.containers.suffixes import CONTAINER_SUFFIXES
from retriton_pipeline.documents.reader import DocumentReader
from retriton_pipeline.documents.registry import READERS
from retriton_pipeline.errors import UnreadableDocument

PARSERS = {
    "charset_normalizer", "doc2docx", "docutils", "ftfy", "lxml", "mammoth", "markdown_it", "openpyxl", "orgparse",
    "oxmsg", "pptx", "ppt2pptx", "pygments", "pylatexenc", "pypdfium2", "pysubs2", "striprtf", "tinycss2",
    "trafilatura",
    "xlrd",
}  # fmt: skip


@pytest.mark.parametrize("module", ["documents", "chunking"])
def test_importing_the_package_imports_no_parser(module: str) -> None:
    code = f"import sys, retriton_pipeline.{module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "retriton_pipeline" in imported
    assert not PARSERS & set(imported)


def test_a_parser_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mammoth", None)  # importing it raises ModuleNotFoundError
    monkeypatch.delitem(sys.modules, "retriton_pipeline.documents.office.docx", raising=False)
    (tmp_path / "a.docx").write_bytes(b"PK")
    with pytest.raises(UnreadableDocument, match=r"needs the package mammoth.*pip install 'retriton\[documents\]'"):
        load_document(tmp_path / "a.docx")


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffixes[0])
def test_every_format_rejects_an_image(reader: DocumentReader) -> None:
    with pytest.raises(UnreadableDocument, match="its content is a PNG image"):
        reader.read(b"\x89PNG\r\n\x1a\n")


def test_suffixes_and_media_types_are_unique() -> None:
    media_types = [media_type for reader in READERS for media_type in reader.media_types]
    assert (
        len(SUFFIXES)
        == len(set(SUFFIXES))
        == sum(len(reader.suffixes) for reader in READERS) + 3 + len(CONTAINER_SUFFIXES)
    )
    assert len(media_types) == len(set(media_types))
