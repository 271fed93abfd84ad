"""The fields, form fields and content controls of a DOCX as the text that they display."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.ooxml import WORD, is_on

CHECKED, UNCHECKED = "☒", "☐"
_VALUE = f"{WORD}val"
_CONTROL_PROPERTIES = (f"{WORD}sdtPr", f"{WORD}sdtEndPr", f"{WORD}customXmlPr")
_WORD_2010 = "{http://schemas.microsoft.com/office/word/2010/wordml}"


def plain_fields(root: etree._Element) -> None:
    """Replaces fields by their results, check boxes by ``☒`` or ``☐``, other controls and ruby text by their text."""
    etree.strip_elements(root, f"{WORD}rt", with_tail=False)  # the readings of ruby text
    etree.strip_tags(root, f"{WORD}ruby", f"{WORD}rubyBase", f"{WORD}rubyPr")
    etree.strip_tags(root, f"{WORD}fldSimple", f"{WORD}dir", f"{WORD}bdo")
    _remove_code(root)
    for data in list(root.iter(f"{WORD}ffData")):
        _display_form_field(data)
    etree.strip_elements(root, f"{WORD}fldChar", with_tail=False)  # mammoth compares each run with all open fields
    for box in list(root.iter(f"{_WORD_2010}checkbox")):
        _display_content_control(box)
    etree.strip_elements(root, *_CONTROL_PROPERTIES, with_tail=False)
    etree.strip_tags(root, f"{WORD}sdt", f"{WORD}sdtContent", f"{WORD}customXml")  # also around rows and cells


def _remove_code(root: etree._Element) -> None:
    """Removes text within the code of fields, such as the results of fields in a condition; mammoth reads it."""
    fields: list[list[etree._Element]] = []  # the texts in the code of each open field
    in_code: list[list[etree._Element]] = []  # those fields whose code is not complete
    hidden: list[etree._Element] = []
    for element in root.iter(f"{WORD}fldChar", f"{WORD}t"):
        kind = element.get(f"{WORD}fldCharType")
        if element.tag == f"{WORD}t":
            if in_code:
                in_code[0].append(element)
        elif kind == "begin":
            fields.append([])
            in_code.append(fields[-1])
        elif fields and kind in ("separate", "end"):
            if in_code and in_code[-1] is fields[-1]:
                in_code.pop()
            if kind == "end":
                hidden += fields.pop()
    for element in hidden:
        element.text = ""


def _display_form_field(data: etree._Element) -> None:
    box, choice = data.find(f"{WORD}checkBox"), data.find(f"{WORD}ddList")
    text = ""
    if box is not None:
        checked = box.find(f"{WORD}checked")
        text = CHECKED if is_on(box.find(f"{WORD}default") if checked is None else checked, _VALUE) else UNCHECKED
    elif choice is not None:
        entries = [entry.get(_VALUE, "") for entry in choice.iterchildren(f"{WORD}listEntry")]
        chosen = choice.find(f"{WORD}result")
        chosen = choice.find(f"{WORD}default") if chosen is None else chosen
        number = "0" if chosen is None else chosen.get(_VALUE, "0")
        text = entries[int(number)] if number.isdecimal() and int(number[:9]) < len(entries) else ""
    run = next(data.iterancestors(f"{WORD}r"), None)
    if text and run is not None:
        shown = etree.Element(f"{WORD}r")
        etree.SubElement(shown, f"{WORD}t").text = text
        run.addprevious(shown)
        data[:] = []


def _display_content_control(box: etree._Element) -> None:
    checked = box.find(f"{_WORD_2010}checked")
    control = next(box.iterancestors(f"{WORD}sdt"), None)
    content = None if control is None else control.find(f"{WORD}sdtContent")
    if content is None:
        return
    for symbol in list(content.iter(f"{WORD}t", f"{WORD}sym")):
        if (parent := symbol.getparent()) is not None:
            parent.remove(symbol)
    run = next(content.iter(f"{WORD}r"), None)
    if run is None:
        run = etree.SubElement(next(content.iter(f"{WORD}p"), content), f"{WORD}r")
    etree.SubElement(run, f"{WORD}t").text = CHECKED if _is_checked(checked) else UNCHECKED
    if (properties := box.getparent()) is not None:
        properties.remove(box)


def _is_checked(checked: etree._Element | None) -> bool:
    return is_on(checked, f"{_WORD_2010}val")
