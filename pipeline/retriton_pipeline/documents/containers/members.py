"""The members of archives, which are read one by one and are never written to the disk.

Limits: the number of members, the unpacked size of each and of all, and no archives within archives.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any, cast

from retriton_pipeline.documents.containers.names import readable_names
from retriton_pipeline.documents.containers.suffixes import ARCHIVE_SUFFIXES
from retriton_pipeline.errors import UnreadableDocument

MEMBERS_MAX = 10_000
MEMBER_BYTES_MAX = 64 * 1024**2
ARCHIVE_BYTES_MAX = 1024**3  # unpacked
_TAR_SIGNATURE, _TAR_SIGNATURE_AT = b"ustar", 257
_ENCRYPTED = 1  # a flag of the members of ZIP archives
_UNPACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_TOO_LARGE = f"it unpacks to more than {MEMBER_BYTES_MAX} bytes, the limit of a file in an archive: unpack it"


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        name: its path in the archive.
        raw: its bytes; empty if it cannot be read.
        reason: why it cannot be read; otherwise empty.
    """

    name: str
    raw: bytes
    reason: str = ""


def archive_members(raw: bytes, file_name: str) -> Iterator[Member]:
    """The files of a ZIP or tar archive, or the only file of a compressed one, without hidden ones.

    Args:
        raw: the archive.
        file_name: its name, from which a compressed file gets its name.

    Raises:
        UnreadableDocument: it is no archive, or beyond the limits.
    """
    if raw.startswith(b"PK"):
        return _zip_members(raw)
    stream = _unpacked_stream(raw)
    head = stream.read(_TAR_SIGNATURE_AT + len(_TAR_SIGNATURE))
    if head.endswith(_TAR_SIGNATURE) and len(head) > _TAR_SIGNATURE_AT:
        return _tar_members(_unpacked_stream(raw))
    if not raw.startswith(tuple(_UNPACKERS)):
        raise UnreadableDocument("it is not an archive, or it is damaged")
    rest = stream.read(MEMBER_BYTES_MAX + 1 - len(head))
    name = PurePosixPath(file_name).stem
    is_large = len(head) + len(rest) > MEMBER_BYTES_MAX
    return iter([Member(name, b"", _TOO_LARGE) if is_large else Member(name, head + rest)])


def _unpacked_stream(raw: bytes) -> _Bounded:
    unpack = next((opener for start, opener in _UNPACKERS.items() if raw.startswith(start)), None)
    return _Bounded(cast(IO[bytes], unpack(io.BytesIO(raw))) if unpack else io.BytesIO(raw))


class _Bounded(io.RawIOBase):
    """Reads from ``stream`` at most `ARCHIVE_BYTES_MAX` bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = ARCHIVE_BYTES_MAX

    def read(self, size: int = -1) -> bytes:
        """As `io.RawIOBase.read`; raises `UnreadableDocument` beyond the limit."""
        read = self._stream.read(size)
        self._rest -= len(read)
        if self._rest < 0:
            raise UnreadableDocument(f"it unpacks to more than the limit of {ARCHIVE_BYTES_MAX} bytes: unpack it")
        return read


def _zip_members(raw: bytes) -> Iterator[Member]:
    archive = zipfile.ZipFile(io.BytesIO(raw))
    names = readable_names(archive.infolist())
    last = dict(zip(names, archive.infolist(), strict=True))  # of files with the same name, the one that is unpacked
    files = {name: info for name, info in last.items() if not info.is_dir() and not _is_hidden(name)}
    if len(files) > MEMBERS_MAX:
        raise UnreadableDocument(f"it has {len(files)} files, more than the limit of {MEMBERS_MAX}: unpack it")
    rest = ARCHIVE_BYTES_MAX
    for name, info in files.items():
        reason = _refusal(name, info.file_size, stat.S_ISLNK(info.external_attr >> 16))
        if info.flag_bits & _ENCRYPTED:
            reason = "it is encrypted and requires a password"
        content = b"" if reason else _unpacked(archive, info)
        rest -= len(content)
        if rest < 0:
            raise UnreadableDocument(f"it unpacks to more than the limit of {ARCHIVE_BYTES_MAX} bytes: unpack it")
        yield Member(name, content, reason)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as opened:
        return opened.read(MEMBER_BYTES_MAX)  # at most what the directory says, which is below the limit


def _tar_members(stream: _Bounded) -> Iterator[Member]:
    number = 0
    names: set[str] = set()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            if info.isdir() or _is_hidden(info.name):
                continue
            number += 1
            if number > MEMBERS_MAX:
                raise UnreadableDocument(f"it has more than {MEMBERS_MAX} files, the limit: unpack it")
            reason = _refusal(info.name, info.size, not info.isfile())
            reason = reason or ("another file in the archive has the same name" if info.name in names else "")
            names.add(info.name)
            opened = None if reason else archive.extractfile(info)
            yield Member(info.name, opened.read() if opened else b"", reason)


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part.strip(".")) for part in parts)


def _refusal(name: str, size: int, is_special: bool) -> str:
    """Why a member is not read; empty if it is."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        return "its path leads out of the archive"
    if is_special:
        return "it is a link or a device, not a file"
    if size > MEMBER_BYTES_MAX:
        return _TOO_LARGE
    if path.suffix.lower() in ARCHIVE_SUFFIXES:
        return "archives in archives are not read: unpack it"
    return ""
