"""Makes and removes elements of a DOCX."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.ooxml import WORD


def new_run(text: str) -> etree._Element:
    """A run with ``text``."""
    made = etree.Element(f"{WORD}r")
    etree.SubElement(made, f"{WORD}t").text = text
    return made


def new_break() -> etree._Element:
    """A run with a line break."""
    made = etree.Element(f"{WORD}r")
    etree.SubElement(made, f"{WORD}br")
    return made


def new_paragraph(*lines: str) -> etree._Element:
    """A paragraph with ``lines``."""
    made = etree.Element(f"{WORD}p")
    for line in lines:
        made.append(new_run(line))
        etree.SubElement(made[-1], f"{WORD}br")
    return made


def new_table(rows: list[list[str]]) -> etree._Element:
    """A table of ``rows``."""
    made = etree.Element(f"{WORD}tbl")
    for texts in rows:
        row = etree.SubElement(made, f"{WORD}tr")
        for text in texts:
            etree.SubElement(row, f"{WORD}tc").append(new_paragraph(text))
    return made


def remove(element: etree._Element) -> None:
    """Removes ``element`` from its parent, if it has one."""
    if (parent := element.getparent()) is not None:
        parent.remove(element)
