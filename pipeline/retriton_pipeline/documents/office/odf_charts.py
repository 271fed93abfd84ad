"""Charts of OpenDocument files, which are documents of their own in the archive."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name, parse_xml, read_member
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.errors import UnreadableDocument

_CHART = "{urn:oasis:names:tc:opendocument:xmlns:chart:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OBJECTS_MAX = 1_000
_BYTES_MAX = 4 * 1024**2


def charts(drawn: etree._Element, archive: zipfile.ZipFile) -> Iterator[tuple[etree._Element, etree._Element]]:
    """The objects below ``drawn`` that are charts, with the roots of their contents."""
    for reference in islice(list(drawn.iter("{*}object")), _OBJECTS_MAX):
        name = posixpath.normpath(posixpath.join(attributes(reference).get("href", ""), "content.xml"))
        if name != "content.xml" and (root := _content(archive, name)) is not None:
            yield reference, root


def chart_titles(root: etree._Element) -> list[str]:
    """The title of a chart, what stands below it, and the titles of its axes, which often state the units."""
    titles = root.iter(f"{_CHART}title", f"{_CHART}subtitle")
    return list(filter(None, (" ".join("".join(map(str, title.itertext())).split()) for title in titles)))


def show_charts(body: etree._Element, archive: zipfile.ZipFile) -> None:
    """Inserts the titles and the table of each chart in ``body`` after the paragraph that it is drawn in, if any."""
    for reference, root in charts(body, archive):
        frame = next(reference.iterancestors("{*}frame"), reference)
        place = next(frame.iterancestors("{*}p", "{*}h"), frame)
        table = next(root.iter("{*}table"), None)
        if table is not None:
            etree.strip_elements(table, "{*}g", with_tail=False)  # which name the cells of a sheet
            place.addnext(table)
        for title in reversed(chart_titles(root)):
            paragraph = etree.Element(f"{_TEXT}p")
            paragraph.text = title
            place.addnext(paragraph)


def _content(archive: zipfile.ZipFile, name: str) -> etree._Element | None:
    """The root of a member; None if it is no chart."""
    if name not in archive.namelist() or archive.getinfo(name).file_size > _BYTES_MAX:
        return None
    try:
        root = parse_xml(read_member(archive, name))
    except UnreadableDocument:
        return None
    return root if any(local_name(part.tag) == "chart" for part in root.iter(f"{_CHART}chart")) else None
