"""Rich text in JSON: trees of nodes, as wikis, trackers and editors export them.

Read are the trees of ProseMirror (Jira, Confluence, TipTap), Slate, Lexical, Contentful, Sanity and Slack, whose nodes
have a kind and children, down to texts with marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import table_block

_KINDS, _CHILDREN, _TEXTS = ("type", "_type", "nodeType"), ("content", "children", "elements"), ("text", "value")
_ROOTS = {"doc", "root", "document", "richtext"}
_INLINE = {"link", "hyperlink", "autolink", "a", "entryhyperlink", "assethyperlink", "mention", "mark", "inline"}
_CODE = {"codeblock", "code", "richtextpreformatted"}
_BREAKS = {"hardbreak", "break", "linebreak"}
_PROPERTIES = {  # of a node, which are no text
    "_key", "alt", "annotations", "attrs", "border", "data", "detail", "direction", "format", "href", "id", "indent",
    "key", "lang", "language", "level", "listItem", "listType", "markDefs", "marks", "mode", "rel", "start", "style",
    "tag", "target", "textFormat", "textStyle", "url", "version",
}  # fmt: skip
_NODES_MAX = 20_000  # of a tree
_LEVEL_MAX = 6
_INDENT = "  "


def is_rich_text(value: object) -> TypeGuard[dict[str, Any] | list[dict[str, Any]]]:
    """Whether ``value`` is the root of a tree of rich text, or the list of its blocks, and has no text besides."""
    if isinstance(value, dict):
        return _kind(value) in _ROOTS and bool(_children(value)) and _is_tree(value)
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return False
    return all(_kind(item) and _children(item) for item in value) and all(map(_is_tree, value))


def rich_text_blocks(value: dict[str, Any] | list[dict[str, Any]]) -> list[Block]:
    """The headings, paragraphs, lists, tables and code of a tree for which `is_rich_text` holds."""
    blocks: list[Block] = []
    items: list[str] = []
    for node in value if isinstance(value, list) else _children(value):
        if node.get("listItem"):  # items of Sanity are no parts of a list
            items.append(f"{_INDENT * (_number(node.get('level')) - 1)}- {_inline(node)}")
            continue
        blocks += [Block("\n".join(items))] if items else []
        items = []
        blocks += _blocks(node)
    return [*blocks, *([Block("\n".join(items))] if items else [])]


def _kind(node: dict[str, Any]) -> str:
    """The kind of a node in lower case without separators; empty if it states none."""
    kind = next((value for name in _KINDS if isinstance(value := node.get(name), str)), "")
    return kind.lower().replace("-", "").replace("_", "")


def _children(node: dict[str, Any]) -> list[dict[str, Any]]:
    children = next((value for name in _CHILDREN if isinstance(value := node.get(name), list)), [])
    return [child for child in children if isinstance(child, dict)]


def _is_tree(root: dict[str, Any]) -> bool:
    """Whether all nodes have a kind or a text, either a text or children, and no other text."""
    pending, number = [root], 0
    while pending:
        node = pending.pop()
        number += 1
        if number > _NODES_MAX or not _is_node(node):
            return False
        pending += _children(node)
    return True


def _is_node(node: dict[str, Any]) -> bool:
    texts = [value for name in _TEXTS if isinstance(value := node.get(name), str) and value]
    children = next((value for name in _CHILDREN if isinstance(value := node.get(name), list)), [])
    known = {*_KINDS, *_CHILDREN, *_TEXTS, *_PROPERTIES}
    others = (value for name, value in node.items() if name not in known)
    has_others = any(isinstance(value, dict | list) or (isinstance(value, str) and " " in value) for value in others)
    is_plain = all(isinstance(child, dict) for child in children) and not (children and texts)
    return is_plain and not has_others and bool(_kind(node) or isinstance(node.get("text"), str))


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    attributes = node.get("attrs")
    return attributes if isinstance(attributes, dict) else {}


def _text(node: dict[str, Any]) -> str:
    """The text of a node without children, such as a mention."""
    if _kind(node) in _BREAKS:
        return "\n"
    holders = (node, _attributes(node))
    texts = (value for holder in holders for name in _TEXTS if isinstance(value := holder.get(name), str))
    return next(texts, "") or next((value for holder in holders if isinstance(value := holder.get("url"), str)), "")


def _inline(node: dict[str, Any]) -> str:
    children = _children(node)
    return "".join(map(_inline, children)) if children else _text(node)


def _is_inline(node: dict[str, Any]) -> bool:
    return _kind(node) in _INLINE or not _children(node)


def _blocks(node: dict[str, Any]) -> Iterator[Block]:
    kind, children = _kind(node), _children(node)
    if kind in _CODE:
        yield Block(_inline(node), verbatim=True)
    elif level := _heading_level(node, kind):
        yield Block(" ".join(_inline(node).split()), heading_level=level)
    elif kind == "table":
        rows = [[" ".join(_lines(cell)) for cell in _children(row)] for row in children]
        yield from filter(None, [table_block(rows)])
    elif _is_list(kind):
        yield Block("\n".join(_items(node, 0)))
    elif all(map(_is_inline, children)):
        yield Block(_inline(node).strip())
    else:
        title = _attributes(node).get("title")
        yield from [Block(title)] if isinstance(title, str) and title.strip() else []  # of what can be opened
        for child in children:
            yield from _blocks(child)


def _heading_level(node: dict[str, Any], kind: str) -> int:
    stated = _attributes(node).get("level")
    names = [kind, *(name for key in ("tag", "style") if isinstance(name := node.get(key), str))]
    is_heading = kind.startswith("heading") or any(len(name) == 2 and name[0] == "h" for name in names)
    digits = next((name[-1] for name in reversed(names) if name[-1:].isdecimal()), "")
    return min(_number(stated or node.get("level") or digits), _LEVEL_MAX) if is_heading else 0


def _number(value: object) -> int:
    return max(int(value), 1) if isinstance(value, int | str) and str(value).isdecimal() and len(str(value)) < 3 else 1


def _is_list(kind: str) -> bool:
    return kind in ("ul", "ol") or ("list" in kind and "item" not in kind)


def _items(node: dict[str, Any], depth: int) -> Iterator[str]:
    """The items of a list with their markers, those of nested lists included."""
    kind = _kind(node)
    is_ordered = (
        kind == "ol" or node.get("tag") == "ol" or "number" in kind or ("order" in kind and "unorder" not in kind)
    )
    for number, item in enumerate(_children(node), 1):
        own = [child for child in _children(item) if not _is_list(_kind(child))]
        is_inline = all(map(_is_inline, own))
        text = "".join(map(_inline, own)) if is_inline else " ".join(line for child in own for line in _lines(child))
        yield f"{_INDENT * depth}{f'{number}.' if is_ordered else '-'} {text.strip()}"
        for child in _children(item):
            if _is_list(_kind(child)):
                yield from _items(child, depth + 1)


def _lines(node: dict[str, Any]) -> list[str]:
    if all(map(_is_inline, _children(node))):
        return [_inline(node)]
    return [block.text for block in _blocks(node)]
