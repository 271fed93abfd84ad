"""Reads documents that a test writes."""

from __future__ import annotations

from pathlib import Path

from retriton_pipeline.documents import Document, load_document


def read(folder: Path, name: str, content: str | bytes) -> Document:
    """Writes a file, and reads it as a document."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_document(file)


def texts(folder: Path, name: str, content: str | bytes) -> list[str]:
    """The texts of the blocks of a file, which is written first."""
    return [block.text for block in read(folder, name, content).blocks]
