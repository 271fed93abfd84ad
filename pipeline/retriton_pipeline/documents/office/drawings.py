"""The text of SmartArt and charts of Office Open XML files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lxml import etree

from retriton_pipeline.documents.office.number_formats import displayed
from retriton_pipeline.documents.office.ooxml import CHART, DIAGRAM, DRAWING

_LEVELS_MAX = 32
_CELLS_MAX = 1_000_000  # series can state points of different categories


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


def chart_title(chart: etree._Element) -> str:
    """The title of a chart; empty if it has none."""
    title = next(chart.iter(f"{CHART}title"), None)
    is_of_chart = title is not None and getattr(title.getparent(), "tag", "") == f"{CHART}chart"
    return " ".join(paragraph_texts(title)) if title is not None and is_of_chart else ""


def chart_tables(chart: etree._Element) -> Iterator[list[list[str]]]:
    """A table for each plot of a chart: the names of the series, then a row for each category."""
    area = next(chart.iter(f"{CHART}plotArea"), None)
    for plot in area if area is not None else ():
        series = plot.findall(f"{CHART}ser")
        if series:
            yield _plot_rows(series)


def _plot_rows(series: list[etree._Element]) -> list[list[str]]:
    categories = _points(series[0], "cat", "xVal")
    columns = [_points(one, "val", "yVal") for one in series]
    names = [" ".join(_points(one, "tx").values()) or (one.findtext(f"{CHART}tx/{CHART}v") or "") for one in series]
    indexes = sorted(categories.keys() | {index for column in columns for index in column})
    if len(indexes) * len(columns) > _CELLS_MAX:
        return []
    rows = ([categories.get(index, ""), *(column.get(index, "") for column in columns)] for index in indexes)
    return [["", *names], *rows]


def _points(series: etree._Element, *names: str) -> dict[int, str]:
    """The saved values of a part of a series, as they are displayed, by their number."""
    found = next((part for name in names if (part := series.find(f"{CHART}{name}")) is not None), None)
    if found is None:
        return {}
    number_format = found.findtext(f".//{CHART}formatCode") or "General"
    source = next(found.iter(f"{CHART}lvl"), found)  # of several levels, the innermost
    return {
        int(point.get("idx", "0")): _text(point.findtext(f"{CHART}v") or "", number_format)
        for point in source.iter(f"{CHART}pt")
        if point.get("idx", "0").isdecimal() and len(point.get("idx", "0")) < 10
    }


def _text(value: str, number_format: str) -> str:
    try:
        return displayed(float(value), number_format)
    except ValueError:
        return value.strip()
