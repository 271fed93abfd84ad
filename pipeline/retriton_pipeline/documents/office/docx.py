"""DOCX: converted to HTML by mammoth, with headings, lists, tables, text boxes and footnotes."""

from __future__ import annotations

import io
import zipfile

import mammoth
from lxml import etree

from retriton_pipeline.documents.completeness import characters
from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.office.archive import open_archive, parse_xml, require_tags, tags_max
from retriton_pipeline.documents.office.docx_chunks import Chunks
from retriton_pipeline.documents.office.docx_notes import note_styles, number_notes
from retriton_pipeline.documents.office.docx_numbering import Numbering
from retriton_pipeline.documents.office.docx_styles import Styles
from retriton_pipeline.documents.office.docx_text import visible
from retriton_pipeline.documents.office.list_numbers import with_displayed_number
from retriton_pipeline.documents.office.ooxml import part_finder, related_name, transitional
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.titles import first_heading
from retriton_pipeline.errors import UnreadableDocument

_FOLDER = "word/"
_BODY = "word/document.xml"
_NOTES = ("footnotes", "endnotes")
_TAGS_MAX = 1_000_000  # mammoth converts some 20,000 a second
_LISTS = "\n".join(  # deeper ones than mammoth knows
    f"p:{kind}-list({level}) => {'ul|ol > li > ' * (level - 1)}{tag} > li:fresh"
    for level in range(6, 10)
    for kind, tag in (("unordered", "ul"), ("ordered", "ol"))
)
_STYLES = f"p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh\n{_LISTS}"


def read_docx(raw: bytes) -> Content:
    """Blocks and document properties: the text as displayed, with all tracked changes accepted.

    Comments, headers, footers and hidden text are skipped. Notes and embedded parts that are damaged are its
    unreadable parts.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    return _read(raw, Chunks(lambda part: _read(part, None).blocks))


def _read(raw: bytes, chunks: Chunks | None) -> Content:
    archive = open_archive(raw, "a DOCX", _FOLDER)
    document = _Displayed(archive, tags_max(raw, _TAGS_MAX), chunks)
    page = mammoth.convert_to_html(
        document.copy(),
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(lambda image: {}),
    ).value
    tree = parse_html(page) if page else None
    if tree is not None:
        number_notes(tree, document.note_styles)
    title, metadata = core_properties(archive)
    blocks = [with_displayed_number(block) for block in html_blocks(tree)] if tree is not None else []
    blocks = chunks.placed(blocks) if chunks else blocks
    unreadable = document.unreadable | (chunks.unreadable if chunks else {})
    return Content(title or first_heading(blocks), blocks, metadata, unreadable, document.shown)


class _Displayed:
    """A file whose text is what is displayed.

    Args:
        archive: the original.
        tags_max: the largest number of tags of a part.
        chunks: collects embedded parts; None to leave them out.

    Attributes:
        shown: the number of its characters.
        note_styles: how its notes are numbered.
        unreadable: the names of notes that are damaged, with the reasons.
    """

    def __init__(self, archive: zipfile.ZipFile, tags_max: int, chunks: Chunks | None) -> None:
        self.shown = 0
        self.note_styles: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self._parts: dict[str, bytes] = {}
        for name in dict.fromkeys(archive.namelist()):
            if name.endswith((".xml", ".rels")):
                require_tags(part := archive.read(name), tags_max)
                self._parts[name] = transitional(part)
        body = related_name(archive, "", "officeDocument", _BODY)
        if body not in self._parts:
            raise UnreadableDocument(f"it is not a DOCX: it is a ZIP archive without {_BODY}")
        names = {
            kind: related_name(archive, body, kind, f"word/{kind}.xml") for kind in ("styles", "numbering", *_NOTES)
        }
        styles = Styles(self._root(names["styles"]))
        definitions = self._root(names["numbering"])
        drawn: set[str] = set()
        for name in (body, *(names[kind] for kind in _NOTES)):
            root = parse_xml(self._parts[body]) if name == body else self._root(name)
            if root is None:
                continue
            self.note_styles = self.note_styles or note_styles(root)
            if chunks:
                chunks.take(root, archive, name)
            numbering = Numbering(definitions, styles)
            displayed = visible(root, styles, numbering, part_finder(archive, name, drawn))
            self.shown += sum(characters(text.text or "") for text in displayed.iter("{*}t"))
            self._parts[name] = etree.tostring(displayed)

    def _root(self, name: str) -> etree._Element | None:
        """The root of a part; None if it is missing, or damaged, when it is left out."""
        if not self._parts.get(name):
            return None
        try:
            return parse_xml(self._parts[name])
        except UnreadableDocument as error:
            self.unreadable[name] = f"the part cannot be read: {error}"
            del self._parts[name]
            return None

    def copy(self) -> io.BytesIO:
        """The file, without images."""
        copied = io.BytesIO()
        with zipfile.ZipFile(copied, "w") as copy:
            for name, part in self._parts.items():
                copy.writestr(name, part)
        copied.seek(0)
        return copied
