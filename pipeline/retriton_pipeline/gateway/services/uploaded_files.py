"""Uploaded files on disk, under names that cannot leave their folder."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from starlette.datastructures import UploadFile

from retriton_pipeline.gateway.errors import ApiError

_NAME_BYTES_MAX = 200
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPED = re.compile("%(?:22|0[DA])")
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*utf-8'[^';]*'([^;\s]+)", re.IGNORECASE)


async def save_files(files: Sequence[UploadFile], folder: Path) -> None:
    """Writes the files of an upload into ``folder``.

    Raises:
        ApiError: a name is invalid, or used twice.
    """
    for file in files:
        target = folder / name_of(file, "files")
        if target.exists():
            raise ApiError(400, "invalid_request", f"two files of this upload are named {target.name!r}", "files")
        await asyncio.to_thread(_copy, file, target)


def name_of(file: UploadFile, field: str) -> str:
    """The name of an uploaded file, as `safe_name`.

    .NET sends ``filename`` in an encoding of mails, and beside it ``filename*``, which is UTF-8. Others percent-encode:
    browsers and httpx quotes and line breaks, aiohttp everything.
    """
    extended = _EXTENDED.search(_QUOTED.sub('""', file.headers.get("content-disposition", "")))
    return safe_name(unquote(extended[1], errors="replace") if extended else _unescaped(file.filename or ""), field)


def _unescaped(name: str) -> str:
    """The name that was percent-encoded; one in ASCII may have been called so, except for quotes and line breaks."""
    try:
        whole = unquote(name, errors="strict") if name.isascii() else name
    except UnicodeDecodeError:
        whole = name
    return _ESCAPED.sub(lambda code: unquote(code[0]), name) if whole.isascii() or whole == name else whole


def safe_name(name: str, field: str = "files") -> str:
    """The last part of a file name, without unprintable characters and leading dots.

    Args:
        name: as the client sent it.
        field: of the form.

    Raises:
        ApiError: nothing is left, or it is too long.
    """
    name = PurePosixPath(name.replace("\\", "/")).name
    name = "".join(character for character in name if character.isprintable()).strip().lstrip(".")
    if not name:
        raise ApiError(400, "invalid_request", "a file needs a name with an extension", field)
    if (size := len(name.encode("utf-8", "replace"))) > _NAME_BYTES_MAX:
        raise ApiError(400, "invalid_request", f"a file name has {size} bytes, the limit is {_NAME_BYTES_MAX}", field)
    return name


def _copy(file: UploadFile, target: Path) -> None:
    with target.open("xb") as stream:
        shutil.copyfileobj(file.file, stream)
