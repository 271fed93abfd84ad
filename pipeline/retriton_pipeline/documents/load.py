"""Finds files, and reads each by its kind."""

from __future__ import annotations

import hashlib
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


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and every file below the folders named, hidden ones left out; sorted, each once.

    Raises:
        PipelineError: a path does not exist.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise PipelineError(f"{path} does not exist")
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.is_file() and not hidden and file.resolve() not in seen:
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
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error
    if not raw:
        raise UnreadableDocument("it is empty (0 bytes)")
    title, blocks = reader(raw)
    if not blocks:
        raise UnreadableDocument("it has no text")
    return Document(str(file), title or file.stem, tuple(blocks), hashlib.sha256(raw).hexdigest())
