"""The document properties of Office Open XML files (DOCX, PPTX, XLSX)."""

from __future__ import annotations

import zipfile

from retriton_pipeline.documents.model import Scalar
from retriton_pipeline.documents.office.archive import local_name, parse_xml
from retriton_pipeline.documents.titles import usable_title

_MEMBER = "docProps/core.xml"
_METADATA = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "category": "category",
    "created": "created",
    "modified": "modified",
}


def core_properties(archive: zipfile.ZipFile) -> tuple[str, dict[str, Scalar]]:
    """The title and the metadata of the core properties; empty if there are none."""
    if _MEMBER not in archive.namelist():
        return "", {}
    texts = {local_name(element.tag): (element.text or "").strip() for element in parse_xml(archive.read(_MEMBER))}
    metadata = {_METADATA[name]: text for name, text in texts.items() if name in _METADATA and text}
    return usable_title(texts.get("title")), dict(metadata)
