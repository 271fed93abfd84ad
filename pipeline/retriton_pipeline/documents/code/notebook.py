"""Jupyter notebooks: text cells as Markdown, code cells with the text of their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.records.json_values import parse_json
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.markdown import parse_markdown, without_data
from retriton_pipeline.documents.text.terminal import displayed_output
from retriton_pipeline.documents.titles import first_heading
from retriton_pipeline.errors import UnreadableDocument

_OBJECT = re.compile(r"<[\w.]+(?: [^<>\n]{0,200})?>")  # the text of an output that has only other forms
_RICH = ("text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml")
_OUTPUT_CHARACTERS_MAX = 20_000  # of a cell; training logs can be much longer
_VERSION_WITH_SHEETS = 3


def read_notebook(raw: bytes) -> Content:
    """Blocks, and the language as metadata; the title is the first heading.

    Raises:
        UnreadableDocument: it is not a notebook.
    """
    notebook = parse_json(decode(raw))
    if not isinstance(notebook, dict):
        raise UnreadableDocument("it is not a notebook: it has no cells")
    sheets = notebook.get("worksheets") if notebook.get("nbformat") == _VERSION_WITH_SHEETS else None
    holders = sheets if isinstance(sheets, list) else [notebook]
    cells = [cell for holder in holders if isinstance(holder, dict) for cell in _dicts(holder.get("cells"))]
    if not cells:
        raise UnreadableDocument("it is not a notebook: it has no cells")
    blocks = [block for cell in cells for block in _cell_blocks(cell)]
    return Content(first_heading(blocks), blocks, _metadata(notebook))


def _metadata(notebook: dict[str, Any]) -> dict[str, Scalar]:
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    return {"language": language} if isinstance(language, str) else {}


def _cell_blocks(cell: dict[str, Any]) -> Iterator[Block]:
    kind, source = cell.get("cell_type"), _text(cell.get("source", cell.get("input")))
    if kind == "heading":
        yield Block(source.strip(), heading_level=1)
    elif kind == "code":
        yield Block(source.strip("\n"), verbatim=True)
        outputs = _dicts(cell.get("outputs"))
        output = displayed_output("\n".join(filter(None, map(_output, outputs))))
        yield Block(output[:_OUTPUT_CHARACTERS_MAX].strip("\n"), verbatim=True)
        for rich in outputs:
            yield from _rich_blocks(rich)
    else:
        yield from parse_markdown(without_data(source))


def _output(output: dict[str, Any]) -> str:
    """The text of an output; tables of data frames have a form in plain text."""
    data = output.get("data", output)
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    if not isinstance(data, dict):
        return ""
    text = _text(output.get("text") or data.get("text/plain") or data.get("text"))
    is_object = _OBJECT.fullmatch(text.strip()) is not None and any(map(data.get, _RICH))
    return "" if is_object else text


def _rich_blocks(output: dict[str, Any]) -> list[Block]:
    """The blocks of an output without a form in plain text."""
    data = output.get("data")
    if not isinstance(data, dict) or _output(output):
        return []
    if text := _text(data.get("text/markdown")) or _text(data.get("text/latex")):
        return parse_markdown(without_data(text[:_OUTPUT_CHARACTERS_MAX]))
    page = _text(data.get("text/html"))
    tree = parse_html(page[:_OUTPUT_CHARACTERS_MAX]) if page else None
    return html_blocks(tree) if tree is not None else []


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    """A string, or the lines of an array of strings."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
