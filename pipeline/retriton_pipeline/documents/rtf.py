"""RTF: its text and tables, without formats."""

from __future__ import annotations

from itertools import groupby

from striprtf.striprtf import rtf_to_text

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.plain_text import paragraphs
from retriton_pipeline.documents.signatures import kind_of
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.errors import UnreadableDocument


def read_rtf(raw: bytes) -> Content:
    """Paragraphs, without a title.

    Raises:
        UnreadableDocument: it is something else.
    """
    if not raw.lstrip().startswith(b"{\\rtf"):
        raise UnreadableDocument(f"it is not RTF: its content is {kind_of(raw) or 'something else, or damaged'}")
    lines = rtf_to_text(raw.decode("latin-1"), errors="replace").splitlines()  # RTF is ASCII, with escapes
    return Content("", [block for is_row, group in groupby(lines, _is_row) for block in _blocks(is_row, list(group))])


def _is_row(line: str) -> bool:
    return line.endswith("|") and line.count("|") > 1


def _blocks(are_rows: bool, lines: list[str]) -> list[Block]:
    table = table_block(line.split("|") for line in lines) if are_rows else None
    return [table] if table else paragraphs("\n\n".join(lines))  # each line is a paragraph
