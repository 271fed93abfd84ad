"""Form controls of an ODT: check boxes, fields and lists."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.odf_attributes import attributes

_BOXES = ("checkbox", "radio")
_CHECKED = ("checked", "true")
_SEPARATED = " "


def show_controls(body: etree._Element) -> None:
    """Writes the state, the label and the value of each control where it is drawn in ``body``."""
    texts: dict[str, str] = {}
    for forms in body.iter("{*}forms"):
        for control in forms.iter(etree.Element):
            of = attributes(control)
            if text := _text(control, of):
                texts.setdefault(of.get("id", ""), text)
    for drawn in body.iter("{*}control"):
        if shown := texts.get(attributes(drawn).get("control", "")):
            drawn.text = f"{_SEPARATED}{shown}{_SEPARATED}"


def _text(control: etree._Element, of: dict[str, str]) -> str:
    name = local_name(control.tag)
    if name in _BOXES:
        state = of.get("current-state", of.get("state", "")) if name == "checkbox" else ""
        is_checked = (state or of.get("current-selected", of.get("selected", ""))) in _CHECKED
        return f"{'☒' if is_checked else '☐'} {of.get('label', '')}".strip()
    if name == "listbox":
        chosen = (attributes(option) for option in control.iterchildren("{*}option"))
        return ", ".join(item.get("label", "") for item in chosen if item.get("current-selected") == "true")
    if name in ("fixed-text", "frame"):
        return of.get("label", "")
    return of.get("current-value", of.get("value", "")) if name not in ("button", "password", "hidden", "form") else ""
