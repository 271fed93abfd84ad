"""Drawings of a DOCX in the only form that mammoth reads, without hidden ones."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.docx_elements import remove
from retriton_pipeline.documents.office.ooxml import COMPATIBILITY, WORD

_TEXT_BOX = f"{WORD}txbxContent"
_VML = "{urn:schemas-microsoft-com:vml}"
_TRUE = ("1", "true")


def resolve_alternatives(root: etree._Element) -> None:
    """Keeps one alternative of each content, and text boxes in the only form that mammoth reads."""
    _remove_hidden_drawings(root)
    for alternative in list(root.iter(f"{COMPATIBILITY}AlternateContent")):
        branches = list(alternative.iterchildren(f"{COMPATIBILITY}Fallback", f"{COMPATIBILITY}Choice"))
        with_box = [branch for branch in branches if next(branch.iter(_TEXT_BOX), None) is not None]
        fallbacks = [branch for branch in with_box if branch.tag.endswith("Fallback")]
        with_text = [branch for branch in branches if next(branch.iter(f"{WORD}t"), None) is not None]  # such as emoji
        for child in list((fallbacks or with_box or with_text or branches or [alternative])[0]):
            alternative.addprevious(child)
        remove(alternative)
    for drawing in list(root.iter(f"{WORD}drawing")):
        if boxes := list(drawing.iter(_TEXT_BOX)):
            picture = etree.Element(f"{WORD}pict")
            picture.extend(boxes)
            drawing.addprevious(picture)
            remove(drawing)
    for box in root.iter(f"{_VML}textbox"):
        if (shape := box.getparent()) is not None:
            shape.tag = f"{_VML}shape"  # mammoth does not know all shapes, such as ovals
    for art in list(root.iter(f"{_VML}textpath")):
        _write_word_art(art)


def _remove_hidden_drawings(root: etree._Element) -> None:
    for properties in list(root.iter("{*}docPr")):
        if properties.get("hidden") in _TRUE:
            drawn = next(properties.iterancestors(f"{WORD}drawing", f"{COMPATIBILITY}AlternateContent"), properties)
            above = next(drawn.iterancestors(f"{COMPATIBILITY}AlternateContent"), drawn)
            remove(above)
    for shape in list(root.iter(f"{_VML}shape", f"{_VML}rect")):
        if "visibility:hidden" in shape.get("style", ""):
            remove(shape)


def _write_word_art(art: etree._Element) -> None:
    """Writes the text of WordArt, which is an attribute, after its drawing."""
    picture = next(art.iterancestors(f"{WORD}pict"), None)
    if picture is not None and (text := art.get("string", "").strip()):
        shown = etree.Element(f"{WORD}t")
        shown.text = text
        picture.addnext(shown)
