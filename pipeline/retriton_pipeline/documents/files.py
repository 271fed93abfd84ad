"""Finds files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from retriton_pipeline.errors import PipelineError, UnreadableDocument

_BYTES_MAX = 256 * 1024 * 1024


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and every file below the folders named, hidden ones left out; sorted, each once.

    Links to files are followed, links to folders are not. A folder that cannot be listed, and a link that leads
    nowhere, are given as they are: reading them says why they cannot be read.

    Raises:
        PipelineError: a path does not exist, or is neither a file nor a folder.
    """
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            raise PipelineError(f"{display_name(path)} does not exist")
        if not path.is_file() and not path.is_dir():
            raise PipelineError(f"{display_name(path)} is neither a file nor a folder")
        for file in [path] if path.is_file() else _below(path):
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    refused: list[Path] = []
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: refused.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
    yield from sorted([*refused, *(file for file in found if file.is_file() or not file.exists())])


def size_of(file: Path) -> int:
    """Its bytes; none, where it cannot be looked at."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def location(file: Path) -> str:
    """Where a file is, through links of its folders, but not through one that is the file itself."""
    return display_name(Path(os.path.realpath(file.parent), file.name))


def display_name(file: Path) -> str:
    """The path as text that every program can show and store, also if its bytes are not UTF-8."""
    return os.fsencode(file).decode("utf-8", "replace")


def read_whole(file: Path) -> bytes:
    """The bytes of ``file``.

    Raises:
        UnreadableDocument: there are none, or too many to be held at once, or they cannot be read.
    """
    try:
        size = file.stat().st_size
        if size > _BYTES_MAX:
            raise UnreadableDocument(f"it has {size} bytes, more than the {_BYTES_MAX} that are read at once: split it")
        raw = file.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error
    if not raw:
        raise UnreadableDocument("it is empty (0 bytes)")
    return raw
