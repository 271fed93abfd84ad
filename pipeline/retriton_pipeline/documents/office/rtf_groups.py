r"""Rewrites RTF such that striprtf reads what a reader of the document sees.

striprtf skips footnotes, text boxes, objects, the numbers of lists (``\pntext``) and check boxes, reads hidden and
struck text, and does not tell headings, cells with several lines, and cells that are merged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from retriton_pipeline.documents.office.rtf_controls import Group, Marks
from retriton_pipeline.documents.office.rtf_tables import CellForm

_TOKEN = re.compile(r"([{}])|\\(?:([a-z]{1,32})(-?\d{1,10})? ?|'[0-9a-f]{2}|[^a-z])", re.IGNORECASE)
_MOVED = ("footnote", "shptxt", "dptxbxtext")  # to the end of the document
_PROPERTIES = ("title", "author", "subject", "keywords")
_HIDING = ("v", "deleted", "strike", "striked")
_TEXT_WORDS = ("u", "tab", "line", "emdash", "endash", "bullet", "lquote", "rquote", "ldblquote", "rdblquote")
_CHECK_BOX, _DEFAULT = 1, 25  # values of \fftype and \ffres
_CHECKED, _UNCHECKED = "\\u9746?", "\\u9744?"
_SHOWN = ("pntext", "object", "result")  # which striprtf skips
_END_OF_NESTED_ROW = "; "


@dataclass
class Separated:
    """The parts of an RTF file.

    Attributes:
        body: all of it, with notes and text boxes at its end.
        properties: the RTF of the document properties, by their control words.
        rows: the cells of each row of a table, by the number after its mark.
    """

    body: str
    properties: dict[str, str]
    rows: list[list[CellForm]]


class _Rewriter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._groups = [Group([])]
        self._moved: list[str] = []
        self._marks = Marks(text)
        self.properties: dict[str, str] = {}

    def rewritten(self) -> str:
        position = 0
        while match := _TOKEN.search(self._text, position):
            self._write_text(self._text[position : match.start()])
            position = match.end()
            if match[1] == "{":
                group = self._groups[-1]
                group.output.append("{")
                self._groups.append(replace(group, kind="", is_moved=False, ends_nested_row=False))
            elif match[1]:
                self._close()
            elif match[2]:
                self._control(match[0], match[2].lower(), match[3])
            elif match[0] == "\\*":
                self._groups[-1].output.append(match[0])
            else:
                self._write_text(match[0])
            if match[2] == "bin" and match[3]:  # bytes, whose braces are none
                end = position + max(int(match[3]), 0)
                self._groups[-1].output.append(self._text[position:end])
                position = end
        self._write_text(self._text[position:])
        while len(self._groups) > 1:
            self._close()
        return "".join([*self._groups[0].output, *self._moved])

    def rows(self) -> list[list[CellForm]]:
        return self._marks.rows

    def _write_text(self, text: str) -> None:
        group = self._groups[-1]
        if not group.hidden_by:
            group.output.append(self._marks.shown(group, text))

    def _control(self, token: str, word: str, value: str | None) -> None:
        group = self._groups[-1]
        is_first = not group.kind
        group.kind = group.kind or word
        if word == "plain":
            group.hidden_by = frozenset()
        elif word in _HIDING:
            group.hidden_by = group.hidden_by - {word} if value == "0" else group.hidden_by | {word}
        if word in ("fftype", "ffres", "ffdefres"):
            group.form[word] = int(value or 0)
        token = self._marks.replaced(group, word, value) or token
        if is_first and (word in _MOVED or (word in _PROPERTIES and self._is_within("info"))):
            group.output, group.is_moved = [], True
        elif is_first and word == "field":
            group.form = {}
            group.output.append(token)
        elif not (is_first and word in _SHOWN) and not (group.hidden_by and word in _TEXT_WORDS):
            group.output.append(token)

    def _is_within(self, kind: str) -> bool:
        return len(self._groups) > 1 and self._groups[-2].kind == kind

    def _close(self) -> None:
        if len(self._groups) == 1:
            return
        group = self._groups.pop()
        self._marks.close(group)
        if group.is_moved and group.kind in _PROPERTIES:
            self.properties[group.kind] = "".join(group.output)
        elif group.is_moved:
            self._moved.append("\\par{\\pard\\plain " + "".join(group.output) + "\\par}")
        if len(self._groups) == 1:
            group.output += self._moved
            self._moved = []
        output = self._groups[-1].output
        output.append("}")
        if group.ends_nested_row:
            output.append(_END_OF_NESTED_ROW)
        if group.kind == "fldinst" and group.form.get("fftype") == _CHECK_BOX:
            state = group.form.get("ffres", _DEFAULT)
            state = group.form.get("ffdefres", 0) if state == _DEFAULT else state
            output.append(_CHECKED if state else _UNCHECKED)


def separated(text: str) -> Separated:
    """``text`` without hidden and struck text, with notes and text boxes at its end, and its properties apart."""
    rewriter = _Rewriter(text)
    body = rewriter.rewritten()
    return Separated(body, rewriter.properties, rewriter.rows())
