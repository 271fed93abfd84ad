"""Office files are ZIP archives of XML: opened within bounds, so that none can blow up in memory."""

from __future__ import annotations

import io
import zipfile

from lxml import etree

from retriton_pipeline.documents.signatures import require_zip
from retriton_pipeline.errors import UnreadableDocument

_BYTES_MAX = 1024**3  # unpacked; a ZIP of 1 MiB can pretend to hold it all
_TREE_BYTES_MAX = 64 * 1024**2  # of XML that is built up as a tree, which takes some 20 times its size


def open_archive(raw: bytes, name: str, member: str, *, trees: bool = True) -> zipfile.ZipFile:
    """The archive ``raw``, which has to hold ``member`` to be ``name`` (a DOCX, …).

    Args:
        raw: the file.
        name: the format, with its article.
        member: what makes it this format.
        trees: whether its XML will be read as trees, not row by row.

    Raises:
        UnreadableDocument: it is something else, encrypted, damaged or a bomb.
    """
    require_zip(raw, name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError) as error:
        raise UnreadableDocument(f"it is a damaged ZIP archive: {error}") from error
    members = archive.infolist()
    if any(info.flag_bits & 1 for info in members):
        raise UnreadableDocument("it is encrypted, and opens only with a password")
    _bound(sum(info.file_size for info in members), _BYTES_MAX)
    if trees:
        _bound(max((info.file_size for info in members if _is_tree(info.filename)), default=0), _TREE_BYTES_MAX)
    if member not in archive.namelist():
        raise UnreadableDocument(f"it is not {name}: it is a ZIP archive without {member}")
    return archive


def parse_xml(raw: bytes) -> etree._Element:
    """The root of ``raw``; entities stay closed, nothing is fetched.

    Raises:
        UnreadableDocument: it is not well-formed.
    """
    try:
        return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise UnreadableDocument(f"its XML is damaged: {error}") from error


def _is_tree(name: str) -> bool:
    return name.lower().endswith((".xml", ".xhtml", ".html", ".htm", ".rels", ".opf"))


def _bound(size: int, size_max: int) -> None:
    if size > size_max:
        raise UnreadableDocument(f"it unpacks to {size} bytes, more than the {size_max} that are read")
