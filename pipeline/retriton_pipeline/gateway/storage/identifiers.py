"""Identifiers of files and vector stores: random, so that they cannot be guessed."""

from __future__ import annotations

import re
import uuid

_VECTOR_STORE = re.compile("vs_[0-9a-f]{32}")


def new_id(prefix: str) -> str:
    """A new identifier, of ``prefix`` and 32 hexadecimal digits."""
    return f"{prefix}{uuid.uuid4().hex}"


def is_vector_store(name: str) -> bool:
    """Whether ``name`` is the identifier of a vector store, which is also the name of its collection."""
    return bool(_VECTOR_STORE.fullmatch(name))
