"""Opens office files, which are ZIP archives of XML, with limits on their unpacked size (ZIP bombs)."""

from __future__ import annotations

import io
import zipfile

from lxml import etree

from retriton_pipeline.documents.signatures import require_zip
from retriton_pipeline.errors import UnreadableDocument

_BYTES_MAX = 1024**3  # unpacked
_TREE_BYTES_MAX = 64 * 1024**2  # of XML that is parsed into a tree, which takes about 20 times its size


def open_archive(
    raw: bytes, name: str, member: str, *, trees: bool = True, bytes_max: int = _BYTES_MAX
) -> zipfile.ZipFile:
    """The archive ``raw``.

    Args:
        raw: the file.
        name: the expected format, with its article ("a DOCX").
        member: a member that every file of the format has.
        trees: whether XML members are parsed into trees, not row by row.
        bytes_max: the largest unpacked size.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged, or unpacks to more than ``bytes_max``.
    """
    require_zip(raw, name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError) as error:
        raise UnreadableDocument(f"it is a damaged ZIP archive: {error}") from error
    members = archive.infolist()
    if any(info.flag_bits & 1 for info in members):
        raise UnreadableDocument("it is encrypted and requires a password")
    _check_size(sum(info.file_size for info in members), bytes_max)
    if trees:
        _check_size(max((info.file_size for info in members if _is_xml(info.filename)), default=0), _TREE_BYTES_MAX)
    if member not in archive.namelist():
        raise UnreadableDocument(f"it is not {name}: it is a ZIP archive without {member}")
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member; empty if there is none with that name."""
    return archive.read(name) if name in archive.namelist() else b""


def parse_xml(raw: bytes) -> etree._Element:
    """The root of ``raw``, parsed without resolving entities and without network access.

    Raises:
        UnreadableDocument: it is not well-formed.
    """
    try:
        return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise UnreadableDocument(f"its XML is damaged: {error}") from error


def local_name(name: object) -> str:
    """The name of an element or attribute without its namespace."""
    return str(name).rpartition("}")[2]


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".xhtml", ".html", ".htm", ".rels", ".opf"))


def _check_size(size: int, size_max: int) -> None:
    if size > size_max:
        raise UnreadableDocument(f"it unpacks to {size} bytes, more than the limit of {size_max}")
