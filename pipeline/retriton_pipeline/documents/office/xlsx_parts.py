"""What the parts of an XLSX besides its sheets state, which openpyxl does not tell."""

from __future__ import annotations

import zipfile

from retriton_pipeline.documents.office.archive import parse_xml, read_member
from retriton_pipeline.documents.office.ooxml import RELATIONSHIPS, part_names, related_name, transitional

_WORKBOOK = "xl/workbook.xml"


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The names of the parts of the visible sheets of a workbook, by the names of the sheets."""
    parts = part_names(archive, _WORKBOOK)
    sheets = parse_xml(transitional(read_member(archive, _WORKBOOK))).iter("{*}sheet")
    visible = (sheet for sheet in sheets if sheet.get("state", "visible") == "visible")
    return {sheet.get("name", ""): parts.get(sheet.get(f"{RELATIONSHIPS}id", ""), "") for sheet in visible}


def check_box_styles(archive: zipfile.ZipFile) -> set[int]:
    """The numbers of the styles of cells that show a check box for TRUE and FALSE."""
    raw = read_member(archive, related_name(archive, _WORKBOOK, "styles", "xl/styles.xml"))
    if b"xfComplement" not in raw:
        return set()
    styles = parse_xml(raw).iterfind("{*}cellXfs/{*}xf")
    return {number for number, style in enumerate(styles) if next(style.iter("{*}xfComplement"), None) is not None}
