"""Older Word and PowerPoint files (.doc, .ppt): converted to DOCX and PPTX, which the readers of these read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.docx import read_docx
from retriton_pipeline.documents.office.pptx import read_pptx
from retriton_pipeline.documents.office.renamed import read_renamed
from retriton_pipeline.documents.signatures import require_ole
from retriton_pipeline.documents.titles import first_heading
from retriton_pipeline.errors import UnreadableDocument

_TITLE_CHARACTERS_MAX = 200


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

    The title of a slide is the placeholder at its top, unless its lines have bullets: the conversion keeps no titles.

    Raises:
        UnreadableDocument: it is of another format or version, encrypted or damaged.
    """
    from ppt2pptx import convert, inspect_ppt
    from ppt2pptx.errors import Ppt2PptxError

    if renamed := read_renamed(raw, "office.pptx:read_pptx"):
        return renamed
    require_ole(raw, "a PPT")
    titles: dict[int, str] = {}

    def convert_and_find_titles(source: Path, result: Path) -> None:
        titles.update(_titles(inspect_ppt(source)))
        convert(source, result)

    content = read_pptx(_converted(raw, ".pptx", convert_and_find_titles, Ppt2PptxError))
    blocks = [_with_heading(block, titles) for block in content.blocks]
    return replace(content, title=content.title or first_heading(blocks), blocks=blocks)


def _titles(presentation: dict[str, Any]) -> dict[int, str]:
    """The titles of slides by their numbers."""
    titles: dict[int, str] = {}
    for slide in presentation["slides"]:
        boxes = [box for box in slide["text_boxes"] if box["is_placeholder"] and box["text"].strip()]
        first = min(boxes, key=lambda box: box["top"], default=None)
        if first is not None and not any(first["paragraph_bullets"]):
            titles[slide["index"]] = " ".join(first["text"].split())
    return titles


def _with_heading(block: Block, titles: dict[int, str]) -> Block:
    """``block`` as a heading if it is the title of its slide, each of which is used once."""
    text = " ".join(block.text.split())
    if block.page is None or titles.get(block.page) != text or len(text) > _TITLE_CHARACTERS_MAX:
        return block
    del titles[block.page]
    return replace(block, text=text, heading_level=1)


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
