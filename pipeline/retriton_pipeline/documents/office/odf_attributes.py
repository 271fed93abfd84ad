"""Attributes of OpenDocument files."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name


def attributes(element: etree._Element) -> dict[str, str]:
    """The attributes of ``element`` without their namespaces."""
    return {local_name(key): str(value) for key, value in element.attrib.items()}
