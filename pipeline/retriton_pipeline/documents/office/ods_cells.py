"""What the cells of an ODS display."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name

_SPACE = {"s": " ", "tab": " ", "line-break": "\n"}
_SKIPPED = ("annotation", "ruby-text")
_LEVELS_MAX = 32


def displayed_cell(cell: etree._Element, of: dict[str, str]) -> str:
    """The paragraphs of ``cell``, without its comment; its value if a program wrote no paragraphs.

    Args:
        cell: the cell.
        of: its attributes.
    """
    text = "\n".join(map(paragraph_text, cell.iterchildren("{*}p")))
    return text if text.strip() else _value(of)


def paragraph_text(element: etree._Element, level: int = 0) -> str:
    """The text of a paragraph, or of a part of it."""
    parts = [element.text or ""]
    for child in element:
        name = local_name(child.tag)
        if name in _SPACE:
            parts.append(_SPACE[name])
        elif isinstance(child.tag, str) and name not in _SKIPPED and level < _LEVELS_MAX:
            parts.append(paragraph_text(child, level + 1))
        parts.append(child.tail or "")
    return "".join(parts)


def _value(of: dict[str, str]) -> str:
    kind = of.get("value-type", "")
    if kind == "percentage":
        return _percentage(of.get("value", ""))
    if kind == "boolean":
        return of.get("boolean-value", "").upper()
    if kind == "currency":
        return f"{of.get('value', '')} {of.get('currency', '')}".strip()
    if kind == "date":
        return of.get("date-value", "").removesuffix("T00:00:00")
    return of.get({"string": "string-value", "time": "time-value", "float": "value"}.get(kind, ""), "")


def _percentage(value: str) -> str:
    try:
        return f"{100 * float(value):.10g}%"
    except ValueError:
        return value
