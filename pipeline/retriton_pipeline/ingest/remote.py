"""Files at URLs (``s3://``, ``gs://``, ``memory://``): listed and copied with `fsspec`, which knows each file system.

Parsers read local files. So remote files are copied to a temporary folder, some at a time, and parsed there; their
documents are identified by the URLs.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from retriton.extras import requires
from retriton_pipeline.documents import SourceFile
from retriton_pipeline.documents.files import without_controls
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest.report import Skipped

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_USER = re.compile(r"(?<=://)[^/@]*@")
_CHAINED = "::"
_CONNECTIONS = 16
_ATTEMPTS = 3
_PAUSE_S = 0.5
_NAME_BYTES_MAX = 200


@dataclass(frozen=True)
class RemoteFile:
    """A file at a URL.

    Attributes:
        url: identifies it and its documents; without user and password.
        address: URL of the file system, as `fsspec` opens it.
        path: path in that file system.
        size_bytes: its size; 0 if the file system does not state it.
    """

    url: str
    address: str = field(repr=False)
    path: str
    size_bytes: int


@dataclass
class Copies:
    """Local copies of remote files.

    Attributes:
        files: the copies.
        skipped: the files that could not be copied, with the reasons.
    """

    files: list[SourceFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def is_url(path: object) -> bool:
    """Whether ``path`` is a URL, not the path of a local file."""
    return isinstance(path, str) and bool(_URL.match(path))


def normal_url(url: str) -> str:
    """The URL without user, password and final slashes, as it is stored: valid Unicode without control characters."""
    head, chain, rest = url.partition(_CHAINED)
    shown = _USER.sub("", f"{head.rstrip('/') if not head.endswith('://') else head}{chain}{rest}")
    return without_controls(shown.encode("utf-8", "replace").decode("utf-8"))


def parent_urls(url: str) -> Iterator[str]:
    """The URLs of the folders above a file, the nearest first."""
    head, chain, rest = url.partition(_CHAINED)
    start = head.index("://") + 3
    while (end := head.rfind("/", start)) > 0:
        head = head[:end]
        yield f"{head}{chain}{rest}"
    yield f"{head[:start]}{chain}{rest}"


def find_remote(url: str) -> list[RemoteFile]:
    """The file at ``url``, or all files below it, sorted. Hidden files and folders are skipped.

    Raises:
        PipelineError: there is nothing, the file system is unknown, or it refuses the listing.
        MissingExtra: `fsspec` is not installed.
    """
    system, root = open_url(url)
    with url_errors(f"{normal_url(url)} cannot be listed"):
        found = system.find(root, detail=True)
        if not found and not system.exists(root):
            raise PipelineError(f"{normal_url(url)} does not exist")
    places = ((path, _below(root, path), info) for path, info in sorted(found.items()))
    return [
        RemoteFile(_joined(url, relative), url, path, int(info.get("size") or 0))
        for path, relative, info in places
        if not any(name.startswith(".") for name in relative.split("/"))
    ]


@contextmanager
def local_copies(files: Sequence[RemoteFile]) -> Iterator[Copies]:
    """Copies files to a temporary folder, which is removed at the end.

    File systems with asynchronous calls (object stores) copy 16 files at a time. A copy that fails is tried three
    times.
    """
    copies = Copies()
    with TemporaryDirectory(prefix="retriton-") as name:
        places = [Path(name, str(number), _file_name(file)) for number, file in enumerate(files)]
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for file, place, reason in zip(files, places, _copied(files, places, pool), strict=True):
                if reason:
                    copies.skipped.append(Skipped(file.url, reason))
                else:
                    copies.files.append(SourceFile(place, url=file.url))
        yield copies


def _copied(files: Sequence[RemoteFile], places: Sequence[Path], pool: ThreadPoolExecutor) -> Iterator[str]:
    """Copies files; yields an empty string, or the reason why it failed, for each."""
    systems = {address: open_url(address)[0] for address in {file.address for file in files}}
    concurrent = all(system.async_impl for system in systems.values())
    yield from (pool.map if concurrent else map)(_copy, (systems[file.address] for file in files), files, places)


def _copy(system: Any, file: RemoteFile, place: Path) -> str:
    place.parent.mkdir()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with url_errors("it cannot be copied"):
                system.get_file(file.path, str(place))
        except PipelineError as error:
            reason = str(error)
            if attempt < _ATTEMPTS:
                time.sleep(_PAUSE_S * attempt)
        else:
            return ""
    return reason


def open_url(url: str) -> tuple[Any, str]:
    """Returns the file system of ``url``, and the path in it.

    Raises:
        PipelineError: the file system is unknown, or refuses.
        MissingExtra: `fsspec` is not installed.
    """
    with requires("urls", f"reading {normal_url(url)}"):
        from fsspec.core import url_to_fs
    with url_errors(f"{normal_url(url)} cannot be opened"):
        system, path = url_to_fs(url)
    return system, str(path)


@contextmanager
def url_errors(what: str) -> Iterator[None]:
    """Translates errors of file systems in the ``with`` block to a `PipelineError` that begins with ``what``."""
    try:
        yield
    except (PipelineError, MemoryError):
        raise
    except ImportError as error:  # fsspec names the package of the file system
        raise PipelineError(f"{what}: {error}") from error
    except Exception as error:  # file systems raise errors of any class
        raise PipelineError(f"{what}: {type(error).__name__}: {error}") from error


def _below(root: str, path: str) -> str:
    """``path`` relative to ``root``; empty if it is ``root``."""
    return path.removeprefix(root.rstrip("/")).lstrip("/")


def _joined(url: str, relative: str) -> str:
    base = normal_url(url)
    if not relative:
        return base
    head, chain, rest = base.partition(_CHAINED)
    between = "" if head.endswith("/") else "/"
    return f"{head}{between}{without_controls(relative)}{chain}{rest}"


def _file_name(file: RemoteFile) -> str:
    """The last part of the path, shortened to what file systems accept, with the suffix that names its format."""
    name = re.sub(r"[\x00/]", "_", file.path.rstrip("/").rpartition("/")[2]) or "_"
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - not a path
    while len(stem.encode("utf-8", "replace")) > _NAME_BYTES_MAX:
        stem = stem[:-1]
    return f"{stem}{suffix[:_NAME_BYTES_MAX]}" if name not in (".", "..") else "_"
