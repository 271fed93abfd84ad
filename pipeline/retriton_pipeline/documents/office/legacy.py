"""Older Word and PowerPoint files (.doc, .ppt): converted to DOCX and PPTX, which the readers of these read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.office.docx import read_docx
from retriton_pipeline.documents.office.pptx import read_pptx
from retriton_pipeline.documents.office.renamed import read_renamed
from retriton_pipeline.documents.signatures import require_ole
from retriton_pipeline.errors import UnreadableDocument


def read_doc(raw: bytes) -> Content:
    """As `read_docx`, for Word 97 to 2003, and for what only has its suffix.

    Raises:
        UnreadableDocument: it is of another format or version, encrypted or damaged.
    """
    from doc2docx import convert
    from doc2docx.errors import Doc2DocxError

    if renamed := read_renamed(raw, "office.docx:read_docx"):
        return renamed
    require_ole(raw, "a DOC")
    return read_docx(_converted(raw, ".docx", convert, Doc2DocxError))


def read_ppt(raw: bytes) -> Content:
    """As `read_pptx`, for PowerPoint 97 to 2003, and for what only has its suffix.

    Raises:
        UnreadableDocument: it is of another format or version, encrypted or damaged.
    """
    from ppt2pptx import convert
    from ppt2pptx.errors import Ppt2PptxError

    if renamed := read_renamed(raw, "office.pptx:read_pptx"):
        return renamed
    require_ole(raw, "a PPT")
    return read_pptx(_converted(raw, ".pptx", convert, Ppt2PptxError))


def _converted(raw: bytes, suffix: str, convert: Callable[[Path, Path], object], failure: type[Exception]) -> bytes:
    """The bytes that ``convert``, which reads and writes files and raises ``failure``, makes of ``raw``."""
    with tempfile.TemporaryDirectory(prefix="retriton-") as folder:
        source, result = Path(folder, "source"), Path(folder, f"result{suffix}")
        source.write_bytes(raw)
        try:
            convert(source, result)
        except failure as error:
            raise UnreadableDocument(_reason(error, suffix)) from error
        return result.read_bytes()


def _reason(error: Exception, suffix: str) -> str:
    if "password" in str(error).lower():
        return "it is encrypted and requires a password"
    return f"it is damaged, or too old for its parser ({error}): save it as {suffix}"
