"""Finds files, and reads each by its kind."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from retriton_pipeline.documents.html import read_html
from retriton_pipeline.documents.markdown import read_markdown
from retriton_pipeline.documents.model import Block, Document
from retriton_pipeline.documents.pdf import read_pdf
from retriton_pipeline.documents.plain_text import read_text
from retriton_pipeline.errors import PipelineError, UnreadableDocument

Reader = Callable[[bytes], tuple[str, list[Block]]]
_READERS: dict[str, Reader] = {
    ".txt": read_text,
    ".text": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
}
SUFFIXES = tuple(_READERS)
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


def load_document(file: Path) -> Document:
    """Reads one file.

    Raises:
        UnreadableDocument: with the reason.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise UnreadableDocument(
            f"files of type {file.suffix or '(none)'} are not supported, only {' '.join(SUFFIXES)}"
        )
    raw = _read(file)
    try:
        title, blocks = reader(raw)
    except UnreadableDocument:
        raise
    except Exception as error:
        raise UnreadableDocument(f"its parser failed: {type(error).__name__}: {error}") from error
    if not blocks:
        raise UnreadableDocument("it has no text")
    name = display_name(file)
    return Document(name, title or Path(name).stem, tuple(blocks), hashlib.sha256(raw).hexdigest())


def display_name(file: Path) -> str:
    """The path as text that every program can show and store, also if its bytes are not UTF-8."""
    return os.fsencode(file).decode("utf-8", "replace")


def _read(file: Path) -> bytes:
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
