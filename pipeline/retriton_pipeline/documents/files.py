"""Finds files and reads their bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from retriton_pipeline.errors import PipelineError, UnreadableDocument

_BYTES_MAX = 256 * 1024 * 1024


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files among ``paths`` and all files in the folders among them: sorted by folder, without duplicates.

    Hidden files and folders are skipped. Symbolic links to files are followed, those to folders are not. Folders that
    cannot be listed and dangling links are included, so that loading them reports the reason.

    Raises:
        PipelineError: a path does not exist, or is neither a file nor a folder.
    """
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            raise PipelineError(f"{display_name(path)} does not exist")
        if not path.is_file() and not path.is_dir():
            raise PipelineError(f"{display_name(path)} is neither a file nor a folder")
        for file in [path] if path.is_file() else _walk(path):
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file


def _walk(folder: Path) -> Iterator[Path]:
    unlistable: list[Path] = []
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: unlistable.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
    yield from sorted([*unlistable, *(file for file in found if file.is_file() or not file.exists())])


def size_of(file: Path) -> int:
    """The size of ``file`` in bytes; 0 if it cannot be determined."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def location(file: Path) -> str:
    """The path of ``file`` with links among its parent folders resolved, but not a link that is the file itself."""
    return display_name(Path(os.path.realpath(file.parent), file.name))


def display_name(file: Path) -> str:
    """The path as valid Unicode, with bytes that are not UTF-8 replaced."""
    return os.fsencode(file).decode("utf-8", "replace")


def read_whole(file: Path) -> bytes:
    """The bytes of ``file``.

    Raises:
        UnreadableDocument: it is empty, too large, or cannot be read.
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
