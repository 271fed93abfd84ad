"""The text of shapes and SmartArt of Office Open XML files."""

from __future__ import annotations

from collections import defaultdict

from lxml import etree

from retriton_pipeline.documents.office.ooxml import DIAGRAM, DRAWING

_LEVELS_MAX = 32


def paragraph_texts(element: etree._Element) -> list[str]:
    """The paragraphs below ``element`` that have text."""
    texts = ("".join(text.text or "" for text in paragraph.iter(f"{DRAWING}t"))
             for paragraph in element.iter(f"{DRAWING}p"))  # fmt: skip
    return [text.strip() for text in texts if text.strip()]


def smartart_lines(data: etree._Element) -> list[str]:
    """The texts of a diagram's data model as a list, indented by its hierarchy."""
    points = {point.get("modelId"): point for point in data.iter(f"{DIAGRAM}pt")}
    children: defaultdict[str | None, list[tuple[int, str | None]]] = defaultdict(list)
    for connection in data.iter(f"{DIAGRAM}cxn"):
        if connection.get("type", "parOf") == "parOf":
            order = connection.get("srcOrd", "0")
            children[connection.get("srcId")].append((int(order) if order.isdecimal() else 0, connection.get("destId")))
    tops = [key for key, point in points.items() if point.get("type") == "doc"]
    pending = [(key, -1) for key in [*reversed(points), *reversed(tops)]]
    lines = []
    while pending:
        key, level = pending.pop()
        point = points.pop(key, None)
        if point is not None:
            indent = "  " * max(level, 0)
            lines += [f"{indent}- {text}" for text in paragraph_texts(point)]
            below = sorted(children[key], key=lambda child: -child[0])
            pending += [(child, min(level + 1, _LEVELS_MAX)) for _, child in below]
    return lines
