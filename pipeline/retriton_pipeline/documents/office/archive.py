"""Opens office files, which are ZIP archives of XML, with limits on their unpacked size (ZIP bombs)."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib

from lxml import etree

from retriton_pipeline.documents.signatures import require_zip
from retriton_pipeline.errors import UnreadableDocument

_BYTES_MAX = 1024**3  # unpacked
_TREE_BYTES_MAX = 64 * 1024**2  # of XML that is parsed into a tree, which takes about 20 times its size
_TREES_BYTES_MAX = 256 * 1024**2  # of all of them
_TREES_BYTES_MIN, _TREES_BYTES_PER_BYTE_MAX = 16 * 1024**2, 100  # compression of ordinary XML is at most 40-fold
_TREE_TAGS_MAX = 2_000_000
_TAGS_MIN, _TAGS_PER_BYTE_MAX = 100_000, 4  # ordinary files have one tag for some ten bytes
_MEMBERS_MAX = 50_000
_SMALL_BYTES = 64 * 1024  # 50,000 such members reach no limit of memory
_XML_SUFFIXES = (".xml", ".xhtml", ".html", ".htm", ".rels", ".opf", ".ncx")
_MEMBER_SIGNATURE = b"PK\x01\x02"  # of an entry of the directory
_HEAD_BYTES = 256
_XML_HEADS = (b"<", b"L\x6f\xa7\x94")  # also in EBCDIC
_IGNORED_HEAD = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"  # byte order marks, white space, and what UTF-16 and UTF-32 add


def open_archive(
    raw: bytes, name: str, member: str, *, streamed: tuple[str, ...] = (), bytes_max: int = _BYTES_MAX
) -> zipfile.ZipFile:
    """The archive ``raw``.

    Args:
        raw: the file.
        name: the expected format, with its article ("a DOCX").
        member: a member that every file of the format has, or its folder, which ends with a slash.
        streamed: prefixes of the names of XML members that are not parsed into trees but row by row.
        bytes_max: the largest unpacked size.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged, or it, or its XML, unpacks to more than the
            limits.
    """
    require_zip(raw, name)
    if (members_max := raw.count(_MEMBER_SIGNATURE)) > _MEMBERS_MAX:
        raise UnreadableDocument(f"it has {members_max} members, more than the limit of {_MEMBERS_MAX}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError) as error:
        raise UnreadableDocument(f"it is a damaged ZIP archive: {error}") from error
    members = archive.infolist()
    if any(info.flag_bits & 1 for info in members):
        raise UnreadableDocument("it is encrypted and requires a password")
    _check_size("it", sum(info.file_size for info in members), bytes_max)
    trees_max = expansion_max(raw, _TREES_BYTES_MIN, _TREES_BYTES_PER_BYTE_MAX, _TREES_BYTES_MAX)
    _check_trees(archive, trees_max, [info for info in members if not info.filename.startswith(streamed or "/")])
    if not any(name == member or (member.endswith("/") and name.startswith(member)) for name in archive.namelist()):
        raise UnreadableDocument(f"it is not {name}: it is a ZIP archive without {member}")
    return archive


def _check_trees(archive: zipfile.ZipFile, bytes_max: int, members: list[zipfile.ZipInfo]) -> None:
    """Restricts the members that may be parsed into trees, which formats find by references, not by their names."""
    trees = [info for info in members if _is_xml(archive, info)]
    for info in trees:
        _check_size(f"its part {info.filename[:_HEAD_BYTES]!r}", info.file_size, _TREE_BYTES_MAX)
    _check_size("its XML", sum(info.file_size for info in trees), bytes_max)


def expansion_max(raw: bytes, low: int, per_byte: int, high: int) -> int:
    """What a file may expand to: ``per_byte`` for each of its bytes, from ``low`` to ``high``."""
    return min(max(per_byte * len(raw), low), high)


def tags_max(raw: bytes, high: int = _TREE_TAGS_MAX) -> int:
    """The number of tags that a part of the file ``raw`` may have, at most ``high``."""
    return expansion_max(raw, _TAGS_MIN, _TAGS_PER_BYTE_MAX, high)


def require_tags(raw: bytes, tags_max: int = _TREE_TAGS_MAX) -> None:
    """Checks the number of tags of XML, since a tree of many small elements takes much more memory than its text.

    Raises:
        UnreadableDocument: there are more than ``tags_max``.
    """
    if (tags := raw.count(b"<")) > tags_max:
        raise UnreadableDocument(f"a part of it has {tags} XML tags, more than the limit of {tags_max}: split it")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member; empty if there is none with that name."""
    return archive.read(name) if name in archive.namelist() else b""


def parse_xml(raw: bytes) -> etree._Element:
    """The root of ``raw``, parsed without resolving entities and without network access.

    Raises:
        UnreadableDocument: it is not well-formed, or has too many tags.
        MemoryError: there is not enough memory.
    """
    require_tags(raw)
    try:
        return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", 0) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise UnreadableDocument(f"its XML is damaged: {error}") from error


def local_name(name: object) -> str:
    """The name of an element or attribute without its namespace."""
    return str(name).rpartition("}")[2]


def _is_xml(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    if info.filename.lower().endswith(_XML_SUFFIXES) or info.file_size <= _SMALL_BYTES:
        return info.filename.lower().endswith(_XML_SUFFIXES)
    try:
        with archive.open(info) as opened:
            head = opened.read(_HEAD_BYTES)
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError):
        return False  # nothing can read it
    head = head.lstrip(_IGNORED_HEAD)
    return not head or head.startswith(_XML_HEADS)


def _check_size(what: str, size: int, size_max: int) -> None:
    if size > size_max:
        raise UnreadableDocument(f"{what} unpacks to {size} bytes, more than the limit of {size_max}")
