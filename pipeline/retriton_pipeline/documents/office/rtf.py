"""RTF: text, tables, footnotes and document properties, without formatting."""

from __future__ import annotations

import re
from itertools import groupby

from striprtf.striprtf import rtf_to_text

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.rtf_groups import separated
from retriton_pipeline.documents.office.rtf_input import prepared
from retriton_pipeline.documents.signatures import require_rtf
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.documents.titles import usable_title

_CODE_PAGE = re.compile(r"\\ansicpg\d{1,5}")
_HEADER_CHARACTERS = 4096


def read_rtf(raw: bytes) -> Content:
    """Paragraphs and tables, then footnotes and text boxes; title, author and other document properties.

    Raises:
        UnreadableDocument: it is not RTF.
    """
    require_rtf(raw)
    parts = separated(raw.decode("latin-1"))  # RTF is ASCII with escape sequences
    lines = _text(prepared(parts.body)).splitlines()
    blocks = [block for is_row, group in groupby(lines, _is_row) for block in _blocks(is_row, list(group))]
    code_page = _CODE_PAGE.search(parts.body[:_HEADER_CHARACTERS])
    start = f"{{\\rtf1\\ansi{code_page[0] if code_page else ''} "
    properties = {name: " ".join(_text(f"{start}{text}}}").split()) for name, text in parts.properties.items()}
    title = usable_title(properties.pop("title", ""))
    return Content(title, blocks, {name: text for name, text in properties.items() if text})


def _text(rtf: str) -> str:
    text: str = rtf_to_text(rtf, errors="replace")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins surrogate pairs


def _is_row(line: str) -> bool:
    return line.endswith("|") and line.count("|") > 1


def _blocks(are_rows: bool, lines: list[str]) -> list[Block]:
    table = table_block(line.split("|") for line in lines) if are_rows else None
    return [table] if table else paragraphs("\n\n".join(lines))  # each line is a paragraph
