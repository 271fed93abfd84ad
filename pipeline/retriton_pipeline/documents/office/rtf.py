"""RTF: text and tables, without formatting."""

from __future__ import annotations

from itertools import groupby

from striprtf.striprtf import rtf_to_text

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.rtf_input import prepared
from retriton_pipeline.documents.signatures import require_rtf
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.plain_text import paragraphs


def read_rtf(raw: bytes) -> Content:
    """Paragraphs and tables, without a title.

    Raises:
        UnreadableDocument: it is not RTF.
    """
    require_rtf(raw)
    text = prepared(raw.decode("latin-1"))  # RTF is ASCII with escape sequences
    lines = rtf_to_text(text, errors="replace").splitlines()
    return Content("", [block for is_row, group in groupby(lines, _is_row) for block in _blocks(is_row, list(group))])


def _is_row(line: str) -> bool:
    return line.endswith("|") and line.count("|") > 1


def _blocks(are_rows: bool, lines: list[str]) -> list[Block]:
    table = table_block(line.split("|") for line in lines) if are_rows else None
    return [table] if table else paragraphs("\n\n".join(lines))  # each line is a paragraph
