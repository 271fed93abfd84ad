"""The names of the files in ZIP archives, which often have the encoding of the computer that made the archive."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

from retriton_pipeline.documents.text.charsets import evident_encoding

_UTF8_FLAG = 0x800
_ASSUMED = "cp437"  # by the module `zipfile`


def readable_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of ``infos``; those without a stated encoding in UTF-8, or in one that their script makes evident."""
    unstated = [info.filename.encode(_ASSUMED) for info in infos if _is_unstated(info)]
    stems = b" ".join(name.rpartition(b"/")[2].rpartition(b".")[0] or name for name in unstated)
    encoding = "utf-8" if _fits(stems, "utf-8") else evident_encoding(stems)
    return [
        info.filename.encode(_ASSUMED).decode(encoding, "replace") if encoding and _is_unstated(info) else info.filename
        for info in infos
    ]


def _is_unstated(info: zipfile.ZipInfo) -> bool:
    return not info.flag_bits & _UTF8_FLAG and not info.filename.isascii()


def _fits(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
