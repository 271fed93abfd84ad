"""Formulas of an ODT, which are documents of their own in its archive."""

from __future__ import annotations

import posixpath
import zipfile
from itertools import islice

from lxml import etree

from retriton_pipeline.documents.html.formulas import mathml_text
from retriton_pipeline.documents.office.archive import local_name, parse_xml, read_member
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.errors import UnreadableDocument

_FORMULAS_MAX = 5_000
_BYTES_MAX = 1024**2


def show_formulas(body: etree._Element, archive: zipfile.ZipFile) -> None:
    """Writes the formulas where they are drawn in ``body``; descriptions of drawings are removed."""
    for element in list(body.iter("{*}desc", "{*}title")):
        if local_name(getattr(element.getparent(), "tag", "")) == "frame":
            element.text = ""
            element[:] = []
    for drawn in islice(body.iter("{*}object"), _FORMULAS_MAX):
        target = attributes(drawn).get("href", "")
        name = posixpath.normpath(posixpath.join(target, "content.xml"))
        if target and (text := _formula(archive, name)):
            drawn[:] = []
            drawn.text = text


def _formula(archive: zipfile.ZipFile, name: str) -> str:
    """The formula of a member; empty if it is something else, such as a chart."""
    if name not in archive.namelist() or archive.getinfo(name).file_size > _BYTES_MAX:
        return ""
    try:
        root = parse_xml(read_member(archive, name))
    except UnreadableDocument:
        return ""
    return mathml_text(root) if local_name(root.tag) == "math" else ""
