"""LaTeX: sections are headings; environments are lists, tables, code, or the text in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import (
    LatexEnvironmentNode,
    LatexGroupNode,
    LatexMacroNode,
    LatexNode,
    LatexWalker,
    get_default_latex_context_db,
)
from pylatexenc.macrospec import LatexContextDb

from retriton_pipeline.documents.markup.latex_boxes import without_boxes
from retriton_pipeline.documents.markup.latex_citations import with_citations
from retriton_pipeline.documents.markup.latex_tables import ENVIRONMENTS, latex_table
from retriton_pipeline.documents.markup.latex_units import displayed_quantity, escaped
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.documents.titles import first_heading

_LEVELS = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_LISTS = {"itemize", "enumerate", "description"}
_CODE = re.compile(
    r"\\begin\{((?:verbatim|lstlisting|minted|Verbatim)\*?)\}(?:\[[^\]\n]{0,1000}\])?(?:\{[^}\n]{0,200}\})?"
)
_MATH = {"equation", "align", "gather", "multline", "eqnarray", "displaymath", "flalign"}
_SKIPPED = {"comment", "tikzpicture", "pgfpicture", "filecontents"}
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*\n?[ \t]*")
_DEFINITION = re.compile(r"\\(?:re)?newcommand\*?\s*\{?\\([A-Za-z]{1,64})\}?\s*\{([^{}\\]{0,200})\}")
_PREAMBLE = re.compile(r"\\begin\s*\{document\}")
_PLACEHOLDER = re.compile(r"\s?<(?:cit\.|ref)>")  # of citations and references
_LISTING = re.compile(r"\\(?:maketitle|tableofcontents|listoffigures|listoftables|appendix)\b")
_ARGUMENTS = re.compile(  # before the text: targets of links, options of slides
    r"\\href\s{0,9}\{[^{}]{0,2000}\}\s{0,9}(?=\{)"
    r"|\\(?:mbox|fbox|hbox)\s{0,9}(?=\{)|(?<=\\caption)\s{0,9}\[[^\]\n]{0,2000}\](?=\s{0,9}\{)"
    r"|\\includegraphics\*?\s{0,9}(?:\[[^\]\n]{0,1000}\]\s{0,9})?\{[^{}]{0,1000}\}"
    r"|(?<=\\begin\{frame\})\[[^\]\n]{0,200}\]"
)
_SLIDE = re.compile(r"(\\begin\{frame\})\s{0,9}(?=\{)|\\frametitle(?=\{)")
_WIDEST_REFERENCE = re.compile(r"(?<=\\begin\{thebibliography\})\{[^{}\n]{0,20}\}")
_VERB = re.compile(r"\\(?:verb\*?|lstinline(?:\[[^\]\n]{0,200}\])?)([^\sA-Za-z*])([^\n]{0,500}?)\1")
_QUANTITY = re.compile(  # of siunitx
    r"\\(?:SI|qty|num|ang|si|unit|numrange|qtyrange|SIrange)(?![A-Za-z])\s{0,9}(?:\[[^\]\n]{0,200}\]\s{0,9})?"
    r"((?:\s{0,9}\{[^{}]{0,200}\}){1,3})"
)
_MACROS_MAX = 200
_FALSE, _FI = re.compile(r"\\iffalse(?![A-Za-z])"), re.compile(r"\\fi(?![A-Za-z])")
_MARK = "\ue000"  # around the number of a verbatim environment; a character for private use
_CODE_MARK = re.compile(f"{_MARK}(\\d+){_MARK}")


def read_latex(raw: bytes) -> Content:
    """Blocks, and the author as metadata. Comments are skipped. The title is that of the document.

    Macros are not expanded, except those that stand for a text without arguments. Files are never included.
    """
    text = decode(raw).replace(_MARK, "")
    begin = _PREAMBLE.search(text)
    code: list[str] = []
    body = _without_code(text[begin.end() if begin else 0 :], code)
    body = body.partition("\\end{document}")[0]
    body = _COMMENT.sub(r"\1", _VERB.sub(lambda match: escaped(match[2]), body))
    body = without_boxes(_QUANTITY.sub(displayed_quantity, body))
    body = _ARGUMENTS.sub("", _LISTING.sub("", _without_false_branches(body)))
    body = _SLIDE.sub(lambda match: f"{match[1] or ''}\\subsection", body)
    body = with_citations(_WIDEST_REFERENCE.sub("\n\n", body))
    for name, value in _DEFINITION.findall(text)[:_MACROS_MAX]:
        body = re.sub(rf"\\{name}(?![A-Za-z])(?:\{{\}})?", lambda _, value=value: value, body)  # type: ignore[misc]
    blocks = list(_Reader(code).blocks(_nodes(body)))
    properties = {name: _plain(found[1]) for name in ("title", "author") if (found := _argument(text, name))}
    author: dict[str, Scalar] = {"author": properties["author"]} if properties.get("author") else {}
    return Content(properties.get("title") or first_heading(blocks), blocks, author)


def _without_code(text: str, code: list[str]) -> str:
    """``text`` with references to the code of verbatim environments, which the parser must not see."""
    kept: list[str] = []
    start = 0
    unending: set[str] = set()
    for begin in _CODE.finditer(text):
        if begin.start() < start or begin[1] in unending:
            continue
        closing = f"\\end{{{begin[1]}}}"
        end = text.find(closing, begin.end())
        if end < 0:
            unending.add(begin[1])
            continue
        kept += [text[start : begin.start()], f"\n\n{_MARK}{len(code)}{_MARK}\n\n"]
        code.append(text[begin.end() : end].strip("\n"))
        start = end + len(closing)
    return "".join([*kept, text[start:]])


def _without_false_branches(text: str) -> str:
    r"""``text`` without what stands between ``\iffalse`` and ``\fi``."""
    kept: list[str] = []
    start = 0
    for match in _FALSE.finditer(text):
        if match.start() >= start:
            end = _FI.search(text, match.end())
            if end is None:
                break
            kept.append(text[start : match.start()])
            start = end.end()
    return "".join([*kept, text[start:]])


def _argument(text: str, name: str) -> re.Match[str] | None:
    return re.search(rf"\\{name}(?:\[[^\]]*\])?\{{((?:[^{{}}]|\{{[^{{}}]*\}}){{1,500}})\}}", text)


def _nodes(text: str) -> Sequence[LatexNode]:
    nodes: Sequence[LatexNode] = LatexWalker(text, _context(), tolerant_parsing=True).get_latex_nodes()[0]
    return nodes


def _plain(text: str) -> str:
    return " ".join(_text(_nodes(text)).split())


def _text(nodes: Sequence[LatexNode]) -> str:
    try:
        text = str(_converter().nodelist_to_text(list(nodes)))
    except (AttributeError, IndexError, TypeError):  # macros with other arguments than the converter expects
        text = "".join(_text([node]) for node in nodes) if len(nodes) > 1 else nodes[0].latex_verbatim()
    return _PLACEHOLDER.sub("", text)


@cache
def _context() -> LatexContextDb:
    return get_default_latex_context_db()


@cache
def _converter() -> LatexNodes2Text:
    return LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=False, fill_text=False)


class _Reader:
    """Turns the nodes of a body into blocks.

    Args:
        code: the texts of verbatim environments.
    """

    def __init__(self, code: Sequence[str]) -> None:
        self._code = code

    def blocks(self, nodes: Sequence[LatexNode]) -> Iterator[Block]:
        """The blocks of ``nodes``, in order."""
        inline: list[LatexNode] = []
        for node in nodes:
            if not _is_block(node):
                inline.append(node)
                continue
            yield from self._paragraphs(inline)
            inline = []
            if isinstance(node, LatexGroupNode):
                yield from self.blocks(node.nodelist)
            else:
                yield from self._macro(node) if isinstance(node, LatexMacroNode) else self._environment(node)
        yield from self._paragraphs(inline)

    def _paragraphs(self, nodes: Sequence[LatexNode]) -> Iterator[Block]:
        for block in paragraphs(_text(nodes)):
            mark = _CODE_MARK.fullmatch(block.text)
            yield Block(self._code[int(mark[1])], verbatim=True) if mark else block

    def _macro(self, node: LatexMacroNode) -> Iterator[Block]:
        arguments = [argument for argument in (node.nodeargd.argnlist if node.nodeargd else ()) if argument is not None]
        text = " ".join(_text(arguments[-1:]).split()) if arguments else ""
        if node.macroname in _LEVELS:
            yield Block(text.lstrip("*"), heading_level=_LEVELS[node.macroname])
        else:
            yield Block(text)

    def _environment(self, node: LatexEnvironmentNode) -> Iterator[Block]:
        name = node.environmentname
        if name.rstrip("*") in _MATH:
            yield Block(node.latex_verbatim(), verbatim=True)
        elif name in ENVIRONMENTS:
            yield from latex_table(node.latex_verbatim(), name, _plain)
        elif name in _LISTS:
            yield Block("\n".join(_items(node)))
        elif name == "abstract":
            yield Block("Abstract", heading_level=_LEVELS["section"])
            yield from self.blocks(node.nodelist)
        elif name not in _SKIPPED:
            yield from self.blocks(node.nodelist)


def _is_block(node: LatexNode) -> bool:
    if isinstance(node, LatexGroupNode):
        return any(map(_is_block, node.nodelist))
    return isinstance(node, LatexEnvironmentNode) or (isinstance(node, LatexMacroNode) and node.macroname in _LEVELS)


def _items(node: LatexEnvironmentNode, level: int = 0) -> Iterator[str]:
    """The items of a list with their markers, those of nested lists included."""
    item: list[LatexNode] = []
    number = 0
    for part in node.nodelist:
        if isinstance(part, LatexMacroNode) and part.macroname == "item":
            yield from _item(item, node.environmentname, number, level)
            number += 1
            item = [argument for argument in (part.nodeargd.argnlist if part.nodeargd else ()) if argument is not None]
            number -= bool(item)  # an item with a label of its own does not count
        elif isinstance(part, LatexEnvironmentNode) and part.environmentname in _LISTS:
            yield from _item(item, node.environmentname, number, level)
            item = []
            yield from _items(part, level + 1)
        else:
            item.append(part)
    yield from _item(item, node.environmentname, number, level)


def _item(nodes: Sequence[LatexNode], kind: str, number: int, level: int) -> Iterator[str]:
    text = " ".join(_text(nodes).split()) if nodes else ""
    is_labelled = bool(nodes) and isinstance(nodes[0], LatexGroupNode) and nodes[0].delimiters[0] == "["
    marker = f"{number}. " if kind == "enumerate" and number and not is_labelled else "- "
    if text:
        yield f"{'  ' * level}{marker}{text}"
