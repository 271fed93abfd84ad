"""The text of charts of Office Open XML files."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from retriton_pipeline.documents.office.drawings import paragraph_texts
from retriton_pipeline.documents.office.number_formats import displayed
from retriton_pipeline.documents.office.ooxml import CHART

_EXTENDED = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"  # kinds that newer versions added
_CELLS_MAX = 1_000_000  # series can state points of different categories
_DIGITS_MAX = 10


def charts_of(drawing: etree._Element) -> Iterator[etree._Element]:
    """The references to charts in ``drawing``."""
    return drawing.iter(f"{CHART}chart", f"{_EXTENDED}chart")


def chart_titles(chart: etree._Element) -> list[str]:
    """The title of a chart and those of its axes, which often state the units."""
    titles = chart.iter(f"{CHART}title", f"{_EXTENDED}title")
    texts = (" ".join(paragraph_texts(title)) or title.findtext(f".//{_EXTENDED}v") or "" for title in titles)
    return list(filter(None, texts))


def chart_tables(chart: etree._Element) -> Iterator[list[list[str]]]:
    """A table for each plot of a chart: the names of the series, then a row for each category."""
    yield from _extended_tables(chart)
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


def _extended_tables(chart: etree._Element) -> Iterator[list[list[str]]]:
    """A table for each series of a waterfall, a treemap and others."""
    data = {part.get("id"): part for part in chart.iter(f"{_EXTENDED}data")}
    for series in chart.iter(f"{_EXTENDED}series"):
        reference = series.find(f"{_EXTENDED}dataId")
        part = None if reference is None else data.get(reference.get("val"))
        if part is not None:
            names, values = (_dimension(part, kind) for kind in ("strDim", "numDim"))
            rows = [[names.get(index, ""), values.get(index, "")] for index in sorted(names.keys() | values.keys())]
            yield [["", series.findtext(f"{_EXTENDED}tx//{_EXTENDED}v") or ""], *rows]


def _dimension(data: etree._Element, kind: str) -> dict[int, str]:
    level = data.find(f"{_EXTENDED}{kind}/{_EXTENDED}lvl")  # of several levels, the innermost
    number_format = "General" if level is None else level.get("formatCode", "General")
    return {
        int(point.get("idx", "0")): _text(point.text or "", number_format if kind == "numDim" else "General")
        for point in (() if level is None else level.iter(f"{_EXTENDED}pt"))
        if point.get("idx", "0").isdecimal() and len(point.get("idx", "0")) < _DIGITS_MAX
    }


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
        if point.get("idx", "0").isdecimal() and len(point.get("idx", "0")) < _DIGITS_MAX
    }


def _text(value: str, number_format: str) -> str:
    try:
        return displayed(float(value), number_format)
    except ValueError:
        return value.strip()
