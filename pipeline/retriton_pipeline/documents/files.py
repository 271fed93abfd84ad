"""Finds files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from retriton_pipeline.errors import PipelineError, UnreadableDocument

_BYTES_MAX = 256 * 1024 * 1024


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and every file below the folders named, hidden ones left out; sorted, each once.

    Raises:
        PipelineError: a path does not exist, or is neither a file nor a folder.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise PipelineError(f"{display_name(path)} does not exist")
        if not path.is_file() and not path.is_dir():
            raise PipelineError(f"{display_name(path)} is neither a file nor a folder")
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if (
                (file.is_file() or file.is_symlink())
                and not file.is_dir()
                and not hidden
                and file.resolve() not in seen
            ):
                seen.add(file.resolve())
                yield file


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
