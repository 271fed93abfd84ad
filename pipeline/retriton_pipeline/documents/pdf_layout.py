"""The blocks of a PDF page: the text of its paragraphs, headings and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.pdf_line import Line
from retriton_pipeline.documents.pdf_pieces import Piece, page_pieces
from retriton_pipeline.documents.pdf_style import Style
from retriton_pipeline.documents.tables import table_block

_FIXED_WIDTH = 0.6  # of the letters of most fonts for code, in sizes
_ENDED = tuple(".!?:;。！？…|")


def page_blocks(lines: Sequence[Line], style: Style, page: int) -> list[Block]:
    """The blocks of a page in reading order."""
    blocks: list[Block] = []
    hyphen = False  # whether the block before ends inside of a word
    for piece in page_pieces(lines, style):
        for block in _blocks(piece, style, page):
            if blocks and _goes_on(blocks[-1], block):
                joined = style.joined if hyphen else "{} {}".format
                blocks[-1] = replace(blocks[-1], text=joined(blocks[-1].text, block.text))
            else:
                blocks.append(block)
            hyphen = piece.lines[-1].hyphen and not piece.table
    return blocks


def _blocks(piece: Piece, style: Style, page: int) -> Iterator[Block]:
    if piece.table:
        if table := table_block(piece.table.grid(), page):
            yield table
    elif piece.lines[0].fixed and len(piece.lines) > 1:
        yield Block("\n".join(_indented(line, piece.left) for line in piece.lines), page=page, verbatim=True)
    else:
        text = _text(piece.lines, style)
        if any(map(str.isalnum, text)):  # else what is left of a drawing or of a large bracket
            yield Block(text, heading_level=style.heading_level(piece.lines, text), page=page)


def _indented(line: Line, margin: float) -> str:
    return " " * round((line.left - margin) / (_FIXED_WIDTH * line.size)) + line.text


def _text(lines: Sequence[Line], style: Style) -> str:
    text, hyphen = "", False
    for line in lines:
        hyphen = hyphen or (text.endswith("-") and text[-2:-1].isalpha() and line.text[:1].islower())
        text = style.joined(text.removesuffix("-"), line.text) if hyphen else f"{text} {line.text}"
        hyphen = line.hyphen
    text = text.strip()
    return f"• {text[1:].lstrip()}" if text.startswith("\ufffd") else text  # a sign without a name there is a bullet


def _goes_on(before: Block, after: Block) -> bool:
    """Whether both are one paragraph, that a column ends in the middle of."""
    return (
        not (before.heading_level or after.heading_level or before.verbatim or after.verbatim)
        and not before.text.endswith(_ENDED)
        and after.text[:1].islower()
    )
