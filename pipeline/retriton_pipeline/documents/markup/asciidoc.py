"""AsciiDoc. No maintained library with an open licence parses it: the common blocks are read here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from retriton_pipeline.documents.markup.asciidoc_lists import ListMarkers
from retriton_pipeline.documents.markup.asciidoc_tables import asciidoc_table
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.documents.titles import first_heading

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ATTRIBUTE = re.compile(r":(!?[\w-]+!?):(?:[ \t]+(.*))?")
_REFERENCE = re.compile(r"\{([\w-]+)\}")
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|`{3,}\w*|[|,:]={3,}|--)[ \t]*")
_ANCHOR = re.compile(r"\[\[[^\]]*\]\]|\[(?:#|\.|%|role=)[^\]]*\][ \t]*$")
_BLOCK_ATTRIBUTES = re.compile(r"\[[^\]\n]*\][ \t]*")
_DIRECTIVE = re.compile(r"(?:include|ifdef|ifndef|ifeval|endif|toc|image|video|audio)::.*|'{3}|<{3}")
_LINK = re.compile(r"(?:link:|xref:|mailto:|https?://)[^\s\[\]<>]{0,500}\[([^\]\n]{1,500})\]")
_XREF = re.compile(r"<<([^,>\n]{1,200})(?:,\s*([^>\n]{1,500}))?>>")
_FOOTNOTE = re.compile(r"footnote:[\w-]{0,100}\[([^\]\n]{1,500})\]")
_LINE_BREAK = re.compile(r"(?<=\S) \+$", re.MULTILINE)
_UI = re.compile(  # keys, buttons, menus, formulas and passed text
    r"(?:\b(?:kbd|btn|stem|latexmath|asciimath|pass|icon):|\bmenu:([^\s\[\]]{1,100}))\[([^\]\n]{1,500})\]"
)
_ANCHORS = re.compile(r"\[\[[\w:.-]{1,200}(?:,[^\]\n]{0,200})?\]\]")
_QUOTED = re.compile(r"\[(?:quote|verse),([^\]\n]{1,500})\]")
_ADMONITION = re.compile(r"\[(NOTE|TIP|IMPORTANT|CAUTION|WARNING)(?:,[^\]\n]*)?\]")
_VERBATIM, _COMMENT, _TABLE = "-.+`", "/", "|,:"
_AUTHOR = re.compile(r"[^\W\d_][\w.'-]*(?: [\w.'-]+){1,3}(?: <[^>\s]+>)?")
_VALUES_MAX = 500


def read_asciidoc(raw: bytes) -> Content:
    """Blocks, and author and description as metadata; the title is that of the document. Comments are skipped."""
    lines = decode(raw).split("\n")
    attributes: dict[str, str] = {}
    blocks = list(_blocks(lines, attributes))
    metadata: dict[str, Scalar] = {
        name: attributes[name] for name in ("author", "description", "keywords") if attributes.get(name)
    }
    return Content(first_heading(blocks), blocks, metadata)


def _blocks(lines: Sequence[str], attributes: dict[str, str]) -> Iterator[Block]:
    text: list[str] = []
    markers = ListMarkers()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if heading := _HEADING.fullmatch(line):
            yield from _paragraphs(text, attributes)
            yield Block(_inline(heading[2], attributes), heading_level=len(heading[1]))
            markers.end()
            if len(heading[1]) == 1 and number < len(lines) and _AUTHOR.fullmatch(lines[number].strip()):
                attributes.setdefault("author", lines[number].strip())
                number += 1
        elif fence := _FENCE.fullmatch(line):
            yield from _paragraphs(text, attributes)
            end = _end(lines, number, line.rstrip(), fence[1])
            above = " ".join(filter(_BLOCK_ATTRIBUTES.fullmatch, lines[max(number - 4, 0) : number - 1]))
            yield from (Block(f"{label[1]}:") for label in _ADMONITION.finditer(above))
            yield from _delimited(lines[number:end], fence[1], attributes, above)
            yield from (Block(f"— {source[1].strip()}") for source in _QUOTED.finditer(above))
            number = end + 1
        elif attribute := _ATTRIBUTE.fullmatch(line):
            if len(attributes) < _VALUES_MAX:
                attributes[attribute[1].strip("!")] = (attribute[2] or "").strip()
        elif not _is_skipped(line):
            text.append(_shown(line, markers))
        elif label := _ADMONITION.fullmatch(line):
            text.append(f"{label[1]}:" if not _follows_fence(lines, number) else "")
    yield from _paragraphs(text, attributes)


def _shown(line: str, markers: ListMarkers) -> str:
    """``line`` with the marker of its item; a title without its mark, and a blank one where an item goes on."""
    if line == "+":
        return ""
    return line[1:] if re.match(r"\.[^\s.]", line) else markers.shown(line)


def _follows_fence(lines: Sequence[str], number: int) -> bool:
    """Whether a delimited block begins in the next lines, below attributes and a title."""
    below = lines[number : number + 3]
    return any(map(_FENCE.fullmatch, below[: next((at for at, line in enumerate(below) if not line.strip()), 3)]))


def _is_skipped(line: str) -> bool:
    is_comment = line.startswith("//") and not line.startswith("///")
    return is_comment or any(pattern.fullmatch(line) for pattern in (_BLOCK_ATTRIBUTES, _DIRECTIVE, _ANCHOR))


def _end(lines: Sequence[str], start: int, fence: str, kind: str) -> int:
    closing = "```" if kind.startswith("`") else fence
    return next((at for at in range(start, len(lines)) if lines[at].rstrip() == closing), len(lines))


def _delimited(lines: Sequence[str], fence: str, attributes: dict[str, str], above: str) -> Iterator[Block]:
    kind = fence[0]
    if kind == _COMMENT:
        return
    if kind in _TABLE:
        table = asciidoc_table(lines, kind, above, lambda text: _inline(text, attributes))
        yield from [table] if table else []
    elif kind in _VERBATIM and fence != "--":
        yield Block("\n".join(lines).strip("\n"), verbatim=True)
    else:
        yield from _blocks(lines, attributes)


def _paragraphs(lines: list[str], attributes: dict[str, str]) -> list[Block]:
    """The paragraphs of ``lines``, which are cleared."""
    text = _inline(_LINE_BREAK.sub("", "\n".join(lines)), attributes)
    lines.clear()
    return paragraphs(text)


def _inline(text: str, attributes: dict[str, str]) -> str:
    """``text`` with the values of attributes and the texts of links."""
    text = _REFERENCE.sub(lambda match: attributes.get(match[1], match[0])[:_VALUES_MAX], text)
    text = _XREF.sub(lambda match: match[2] or match[1].lstrip("#_").replace("_", " "), text)
    text = _FOOTNOTE.sub(lambda match: f" ({match[1]})", text)
    text = _UI.sub(lambda match: f"{match[1]} > {match[2]}" if match[1] else match[2], text)
    return _LINK.sub(lambda match: match[1], _ANCHORS.sub("", text))
