"""RTF: headings, text, tables, footnotes and document properties, without formatting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from striprtf.striprtf import rtf_to_text

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.rtf_groups import separated
from retriton_pipeline.documents.office.rtf_input import prepared
from retriton_pipeline.documents.office.rtf_marks import CELL, HEADING_MARKS, LINE, ROW, heading_level
from retriton_pipeline.documents.office.rtf_tables import CellForm, table_rows
from retriton_pipeline.documents.signatures import require_rtf
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.documents.titles import usable_title

_CODE_PAGE = re.compile(r"\\ansicpg\d{1,5}")
_CHARACTER_SET = re.compile(r"\\(mac|pca?)(?![a-z0-9])")
_ENCODINGS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_MAC_CODE_PAGE = "\\ansicpg10000"  # which striprtf takes for UTF-8
_HEADER_CHARACTERS = 4096
_LEVELS_MAX = 6


def read_rtf(raw: bytes) -> Content:
    """Headings, paragraphs and tables, then footnotes and text boxes; title, author and other document properties.

    Raises:
        UnreadableDocument: it is not RTF.
    """
    require_rtf(raw)
    parts = separated(raw.decode("latin-1"))  # RTF is ASCII with escape sequences
    lines = _text(prepared(parts.body)).splitlines()
    blocks = [block for kind, group in groupby(lines, _kind) for block in _blocks(kind, list(group), parts.rows)]
    code_page = _CODE_PAGE.search(parts.body[:_HEADER_CHARACTERS])
    start = f"{{\\rtf1\\ansi{code_page[0] if code_page else ''} "
    properties = {name: " ".join(_text(f"{start}{text}}}").split()) for name, text in parts.properties.items()}
    title = usable_title(properties.pop("title", ""))
    return Content(title, blocks, {name: text for name, text in properties.items() if text})


def _text(rtf: str) -> str:
    stated = _CHARACTER_SET.search(rtf, 0, _HEADER_CHARACTERS)
    encoding = _ENCODINGS[stated[1]] if stated else "cp1252"
    text: str = rtf_to_text(rtf.replace(_MAC_CODE_PAGE, "", 1), encoding, errors="replace")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins surrogate pairs


def _kind(line: str) -> str:
    return "row" if ROW in line else "heading" if heading_level(line) else "text"


def _blocks(kind: str, lines: list[str], forms: Sequence[Sequence[CellForm]]) -> list[Block]:
    if kind == "row":
        table = table_block(table_rows([_row(line, forms) for line in lines]))
        return [table] if table else []
    if kind == "heading":
        return [_heading(line) for line in lines]
    return paragraphs("\n\n".join(map(_plain, lines)))  # each line is a paragraph


def _row(line: str, forms: Sequence[Sequence[CellForm]]) -> tuple[list[str], Sequence[CellForm]]:
    cells, _, number = line.rpartition(ROW)
    texts = [" ".join(_plain(cell).split()) for cell in cells.split(CELL)[:-1]]
    return texts, forms[int(number)] if number.isdecimal() and int(number) < len(forms) else []


def _heading(line: str) -> Block:
    return Block(" ".join(_plain(line).split()), heading_level=min(heading_level(line), _LEVELS_MAX))


def _plain(text: str) -> str:
    return HEADING_MARKS.sub("", text).replace(LINE, " ").replace(CELL, " ")
