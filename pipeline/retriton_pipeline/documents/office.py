"""What office files of all kinds have in common."""

from __future__ import annotations

import zipfile

from retriton_pipeline.documents.archives import parse_xml
from retriton_pipeline.documents.model import Scalar
from retriton_pipeline.documents.titles import usable_title

_PROPERTIES = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "category": "category",
    "created": "created",
    "modified": "modified",
}


def core_properties(archive: zipfile.ZipFile) -> tuple[str, dict[str, Scalar]]:
    """Title and metadata from the core properties of an Office Open XML file; empty where it has none."""
    if "docProps/core.xml" not in archive.namelist():
        return "", {}
    root = parse_xml(archive.read("docProps/core.xml"))
    texts = {str(element.tag).rpartition("}")[2]: (element.text or "").strip() for element in root}
    metadata = {_PROPERTIES[name]: text for name, text in texts.items() if name in _PROPERTIES and text}
    return usable_title(texts.get("title")), dict(metadata)
