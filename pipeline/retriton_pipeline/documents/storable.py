"""What every store and wire format takes: valid Unicode, finite numbers, short values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from retriton_pipeline.documents.model import Block, Scalar

_VALUE_CHARACTERS_MAX = 256
_NAME_CHARACTERS_MAX = 128
_FIELDS_MAX = 32
_INTEGER_MAX = 2**63 - 1


def storable(text: str) -> str:
    """``text`` without NUL, and with halves of surrogate pairs replaced, which JSON can hold and UTF-8 cannot."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def storable_block(block: Block) -> Block:
    """``block`` with such texts."""
    text = storable(block.text)
    return block if text == block.text else replace(block, text=text, header=storable(block.header))


def storable_metadata(metadata: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The fields that say something; long values are cut."""
    fields = {storable(key)[:_NAME_CHARACTERS_MAX]: _storable_value(value) for key, value in metadata.items()}
    return dict([(key, value) for key, value in fields.items() if key and value is not None][:_FIELDS_MAX])


def _storable_value(value: Scalar) -> Scalar | None:
    if isinstance(value, str):
        return " ".join(storable(value).split())[:_VALUE_CHARACTERS_MAX] or None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if abs(value) <= _INTEGER_MAX else None
