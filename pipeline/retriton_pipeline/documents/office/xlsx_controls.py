"""Check boxes and options drawn on a sheet of an XLSX, whose states are parts of their own."""

from __future__ import annotations

import re
import zipfile

from retriton_pipeline.documents.office.docx_fields import CHECKED, UNCHECKED
from retriton_pipeline.documents.office.ooxml import related_parts, relation_ids

_CONTROL = re.compile(
    rb"""<(?:\w{1,20}:)?control\s[^<>]{0,300}?shapeId=["'](\d{1,9})["'][^<>]{0,300}?\w{1,20}:id=["']([^"'<>]{1,100})["']"""
)
_WINDOW_BYTES, _OVERLAP_BYTES = 1024**2, 1024
_LABELS = ("Label", "GBox")
_BOXES = ("CheckBox", "Radio")


def control_marks(archive: zipfile.ZipFile, part: str, found: set[str]) -> dict[str, str]:
    """What stands before the labels of controls, by the ids of their shapes: ``☒``, ``☐`` or nothing.

    Buttons and lists are left out.

    Args:
        archive: the file.
        part: the name of the sheet.
        found: the names of the parts that were read, for all sheets.
    """
    ids = relation_ids(archive, part)
    marks: dict[str, str] = {}
    for path, control in related_parts(archive, part, "ctrlProp", found):
        kind = control.get("objectType", "")
        if kind in _BOXES:
            marks[ids[path]] = CHECKED if control.get("checked") == "Checked" else UNCHECKED
        elif kind in _LABELS:
            marks[ids[path]] = ""
    shapes = _shapes(archive, part) if marks else {}
    return {shape: marks[relation] for shape, relation in shapes.items() if relation in marks}


def _shapes(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The relations of controls by the ids of their shapes; sheets are not parsed into trees."""
    shapes: dict[str, str] = {}
    tail = b""
    with archive.open(part) as source:
        while window := source.read(_WINDOW_BYTES):
            window = tail + window
            shapes |= {shape.decode(): relation.decode() for shape, relation in _CONTROL.findall(window)}
            tail = window[-_OVERLAP_BYTES:]
    return shapes
