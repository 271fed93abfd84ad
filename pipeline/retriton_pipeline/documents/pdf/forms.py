"""The values of the form fields of a PDF page, written into the lines with their labels."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pypdfium2
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.errors import UnreadableDocument

_FIELDS_MAX = 5_000  # of a page; each is compared with the lines of the page
_COMPARISONS_MAX = 5_000_000
_VALUE_BYTES_MAX = 1024**2
_HIDDEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_CHECKS = (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
_CHOICES = (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX)
_PASSWORD = 1 << 13  # a flag of text fields
_OPTIONS_MAX = 1000
_NEAR = 2.0  # in font sizes: a check box belongs to the text to its right if that is nearer
_ABOVE_MAX = 2.5
_SPACE = 0.3
_SIZE = 10.0


@dataclass(frozen=True)
class _Field:
    text: str
    is_check: bool
    name: str
    left: float
    right: float
    bottom: float
    top: float


def require_no_dynamic_form(document: pypdfium2.PdfDocument) -> None:
    """Checks that the pages are not a placeholder for a form that only some programs build.

    Raises:
        UnreadableDocument: it is a dynamic XFA form.
    """
    if document.get_formtype() == pdfium.FORMTYPE_XFA_FULL:
        raise UnreadableDocument(
            "it is a dynamic XFA form, whose pages only Adobe's programs build: print it there to a PDF"
        )


def with_form_values(lines: list[Line], page: pypdfium2.PdfPage) -> list[Line]:
    """``lines`` with the values of fields and the states of check boxes (☒, ☐) next to their labels."""
    if page.formenv is None and not pdfium.FPDFPage_GetAnnotCount(page.raw):
        return lines
    for number, field in enumerate(_fields(page), 1):
        if number * len(lines) > _COMPARISONS_MAX:
            break
        place, before = _label(lines, field)
        if place is None:
            lines.append(_line(f"{field.name}: {field.text}" if field.name else field.text, field))
        else:
            lines[place] = _with_word(lines[place], field.text, before)
    return lines


def _label(lines: list[Line], field: _Field) -> tuple[int | None, bool]:
    """The number of the line that names the field, and whether the value stands before it."""
    middle = (field.bottom + field.top) / 2
    rows = [(index, line) for index, line in enumerate(lines) if line.bottom - 1 < middle < line.top + 1]
    right = min(
        ((line.left - field.right, index) for index, line in rows if line.left >= field.right - 1), default=None
    )
    left = max(((line.right, index) for index, line in rows if line.left < field.left), default=None)
    if field.is_check and right and (left is None or right[0] < _NEAR * lines[right[1]].font_size):
        return right[1], True
    if left:
        return left[1], False
    above = [
        (line.bottom - field.top, index)
        for index, line in enumerate(lines)
        if -line.font_size < line.bottom - field.top < _ABOVE_MAX * line.font_size
        and line.left < field.right
        and field.left < line.right
    ]
    return (min(above)[1], False) if above and not field.is_check else (None, False)


def _with_word(line: Line, text: str, before: bool) -> Line:
    space = _SPACE * line.font_size
    if before:
        return replace(line, words=(Word(text, line.left - space, line.left - space), *line.words))
    return replace(line, words=(*line.words, Word(text, line.right + space, line.right + space)))


def _line(text: str, field: _Field) -> Line:
    size = min(field.top - field.bottom, _SIZE)
    return Line((Word(text, field.left, field.right),), field.bottom, field.bottom + size, size)


def _fields(page: pypdfium2.PdfPage) -> Iterator[_Field]:
    """The fields with a value and the check boxes, and text that was written on the page as a comment."""
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), _FIELDS_MAX)):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
        try:
            field = _field(page, annotation)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
        if field:
            yield field


def _field(page: pypdfium2.PdfPage, annotation: pdfium.FPDF_ANNOTATION) -> _Field | None:
    box = pdfium.FS_RECTF()
    if pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN or not pdfium.FPDFAnnot_GetRect(annotation, box):
        return None
    subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
    text, name, is_check = "", "", False
    if subtype == pdfium.FPDF_ANNOT_FREETEXT:
        text = _string(lambda *to: pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", *to))
    elif subtype == pdfium.FPDF_ANNOT_WIDGET and page.formenv is not None:
        form = page.formenv.raw
        is_check = pdfium.FPDFAnnot_GetFormFieldType(form, annotation) in _CHECKS
        text = _value(form, annotation)
        name = _string(lambda *to: pdfium.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *to)) or _string(
            lambda *to: pdfium.FPDFAnnot_GetFormFieldName(form, annotation, *to)
        )
    text = " ".join(text.split())
    return _Field(text, is_check, name, box.left, box.right, box.bottom, box.top) if text else None


def _value(form: pdfium.FPDF_FORMHANDLE, annotation: pdfium.FPDF_ANNOTATION) -> str:
    type_ = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if type_ in _CHECKS:
        return "☒" if pdfium.FPDFAnnot_IsChecked(form, annotation) else "☐"
    if type_ in _CHOICES:
        count = min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), _OPTIONS_MAX)
        selected = [n for n in range(count) if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, n)]
        labels = (_string(lambda *to, n=n: pdfium.FPDFAnnot_GetOptionLabel(form, annotation, n, *to)) for n in selected)
        if text := ", ".join(filter(None, labels)):
            return text
    if type_ == pdfium.FPDF_FORMFIELD_TEXTFIELD and pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return ""  # it is displayed as dots
    if type_ in (pdfium.FPDF_FORMFIELD_TEXTFIELD, *_CHOICES):
        return _string(lambda *to: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, *to))
    return ""


def _string(get: Callable[..., int]) -> str:
    """The text that ``get`` writes into a buffer of UTF-16."""
    size = min(get(None, 0), _VALUE_BYTES_MAX)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2))()
    get(buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")
