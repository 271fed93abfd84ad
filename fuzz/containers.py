"""Takes files apart into the parts that a parser sees, and puts them together again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Parts = dict[str, bytes]
_UNPACKED_BYTES_MAX = 64 * 1024**2


@dataclass(frozen=True)
class Container:
    """A file format that holds named parts.

    Attributes:
        unpack: the parts of a file; a file that is damaged is one part.
        pack: the file with these parts.
    """

    unpack: Callable[[bytes], Parts]
    pack: Callable[[Mapping[str, bytes]], bytes]

    def size(self, raw: bytes) -> int:
        """The bytes of all parts."""
        return sum(map(len, self.unpack(raw).values()))


def _unzip(raw: bytes) -> Parts:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _UNPACKED_BYTES_MAX:
                return {"": raw}
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError):
        return {"": raw}


def _zip(parts: Mapping[str, bytes]) -> bytes:
    if "" in parts:
        return parts[""]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


FLAT = Container(lambda raw: {"": raw}, lambda parts: parts[""])
ZIP = Container(_unzip, _zip)
