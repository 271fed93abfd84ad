"""Restricts documents to what Milvus, JSON and gRPC accept: valid Unicode, finite numbers, short values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from retriton_pipeline.documents.files import display_name, size_of, without_controls
from retriton_pipeline.documents.model import Block, Content, Document, Scalar
from retriton_pipeline.errors import UnreadableDocument

_TITLE_CHARACTERS_MAX = 500
_VALUE_CHARACTERS_MAX = 256
_NAME_CHARACTERS_MAX = 128
_FIELDS_MAX = 32
_RECORD_CHARACTERS_MAX = 1024
_CHARACTERS_MAX = 64 * 1024**2
_CHARACTERS_PER_BYTE_MAX = 4
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]")  # controls, and overrides of direction
# Within words, they keep searches from finding the word: soft hyphens, zero-width spaces, word joiners and byte order
# marks. Zero-width joiners stay, because scripts and emoji need them.
_WITHIN_WORDS = re.compile("[\u00ad\u200b\u2060\ufeff]")
_INTEGER_MAX = 2**63 - 1


def sanitized_document(file: Path, content: Content, sha256: str, record: str = "") -> Document:
    """The document with ``content``; its title defaults to the name of the file without its suffix.

    Args:
        file: where the content was read.
        content: what was read.
        sha256: of the bytes or of the record.
        record: the record's identifier within the file; empty if the file is one document.

    Raises:
        UnreadableDocument: there is no text, or more than the limits.
    """
    blocks = tuple(block for block in map(_sanitized_block, content.blocks) if block.text.strip())
    if not blocks:
        raise UnreadableDocument("it has no text")
    _check_length(blocks, file)
    name = display_name(file)
    record = without_controls(_valid(record))
    if len(record) > _RECORD_CHARACTERS_MAX:
        raise UnreadableDocument(
            f"its id has {len(record)} characters, more than the {_RECORD_CHARACTERS_MAX} of an id"
        )
    return Document(
        source=f"{name}#{record}" if record else name,
        title=_one_line(content.title, _TITLE_CHARACTERS_MAX) or Path(name).stem,
        blocks=blocks,
        sha256=sha256,
        record=record,
        metadata=_sanitized_metadata(content.metadata),
    )


def _check_length(blocks: Sequence[Block], file: Path) -> None:
    """Checks that the text is not much longer than the file, as that of parts that a file repeats can be."""
    characters = sum(len(block.text) for block in blocks)
    if characters > _CHARACTERS_MAX and characters > (limit := _CHARACTERS_PER_BYTE_MAX * size_of(file)):
        raise UnreadableDocument(
            f"its text has {characters} characters, more than {max(limit, _CHARACTERS_MAX)}: split it"
        )


def _one_line(text: str, characters_max: int) -> str:
    """The start of ``text``, without the characters that change how the text around them is shown."""
    line = " ".join(_sanitized(text[: 8 * characters_max]).split())
    return _INVISIBLE.sub("", line)[:characters_max]


def _sanitized(text: str) -> str:
    """``text`` as `_valid`, without invisible characters within words."""
    return _valid(text if text.isascii() else _WITHIN_WORDS.sub("", text))


def _valid(text: str) -> str:
    """``text`` without NUL and with lone surrogates replaced: JSON can contain them, UTF-8 cannot."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _sanitized_block(block: Block) -> Block:
    text = _sanitized(block.text)
    return block if text == block.text else replace(block, text=text, header=_sanitized(block.header))


def _sanitized_metadata(metadata: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The fields that have a value; long values are truncated."""
    fields = {_one_line(key, _NAME_CHARACTERS_MAX): _sanitized_value(value) for key, value in metadata.items()}
    return dict([(key, value) for key, value in fields.items() if key and value is not None][:_FIELDS_MAX])


def _sanitized_value(value: Scalar) -> Scalar | None:
    if isinstance(value, str):
        return _one_line(value, _VALUE_CHARACTERS_MAX) or None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if abs(value) <= _INTEGER_MAX else None
