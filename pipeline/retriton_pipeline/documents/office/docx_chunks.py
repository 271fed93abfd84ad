"""Parts of a DOCX in other formats (``altChunk``), which Word converts when it opens the file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from lxml import etree

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.office.archive import read_member
from retriton_pipeline.documents.office.ooxml import RELATIONSHIPS, WORD, part_names
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.registry import reader_of
from retriton_pipeline.documents.signatures import detected_format
from retriton_pipeline.errors import UnreadableDocument

_MARK = "\ue010"  # around the number of a chunk; a character for private use
_CHUNKS_MAX = 200
_SUFFIXES = (".htm", ".html", ".xhtml", ".mht", ".mhtml", ".rtf", ".txt", ".xml")
_DETECTED = {"HTML": ".html", "RTF": ".rtf"}


@dataclass
class Chunks:
    """The chunks of a document, in the order of their places.

    Attributes:
        read_docx: reads those that are DOCX.
        blocks: of each chunk.
        unreadable: the names of those that cannot be read, with the reasons.
    """

    read_docx: Callable[[bytes], list[Block]]
    blocks: list[list[Block]] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)  # each is read once: a small file can refer to it any number of times

    def take(self, root: etree._Element, archive: zipfile.ZipFile, part: str) -> None:
        """Reads the chunks of ``part`` with the root ``root``, and marks their places with paragraphs."""
        names = part_names(archive, part)
        for chunk in list(root.iter(f"{WORD}altChunk")):
            name = names.get(chunk.get(f"{RELATIONSHIPS}id", ""), "")
            chunk.tag = f"{WORD}p"
            chunk[:] = []
            if name not in self._names and len(self.blocks) < _CHUNKS_MAX and (raw := read_member(archive, name)):
                self._names.add(name)
                etree.SubElement(etree.SubElement(chunk, f"{WORD}r"), f"{WORD}t").text = self._mark(len(self.blocks))
                self.blocks.append(self._read(name, raw))

    def placed(self, blocks: list[Block]) -> list[Block]:
        """``blocks`` with the blocks of the chunks at their places; in the cells of tables, their texts."""
        placed: list[Block] = []
        for block in blocks:
            whole = block.text.strip(_MARK)
            if whole.isdecimal() and block.text == self._mark(int(whole)):
                placed += self.blocks[int(whole)]
            elif _MARK in block.text:
                placed.append(replace(block, text=self._filled(block.text), header=self._filled(block.header)))
            else:
                placed.append(block)
        return placed

    def _filled(self, text: str) -> str:
        for number, blocks in enumerate(self.blocks):
            if (mark := self._mark(number)) in text:
                text = text.replace(mark, " ".join(" ".join(block.text.split()) for block in blocks))
        return text

    def _read(self, name: str, raw: bytes) -> list[Block]:
        try:
            with parser_errors():
                if raw.startswith(b"PK"):
                    return self.read_docx(raw)
                suffix = PurePosixPath(name).suffix.lower()
                suffix = suffix if suffix in _SUFFIXES else _DETECTED.get(detected_format(raw), ".txt")
                return reader_of(suffix).read(raw).blocks
        except UnreadableDocument as error:
            self.unreadable[name] = f"the part cannot be read: {error}"
            return []

    @staticmethod
    def _mark(number: int) -> str:
        return f"{_MARK}{number}{_MARK}"
