"""Names of collections: which ones are valid, and which ones Retriton or Milvus Lite uses itself."""

from __future__ import annotations

import re

from retriton_pipeline.errors import InvalidOption

PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
POINTERS = "retriton_names"  # a collection of a Milvus Lite file, which maps names to versions
FORMER = f"{POINTERS}_former_"  # followed by a collection's name: refers to its former version
FROZEN = f"{POINTERS}_frozen_"  # followed by a version's name: refers to it while it takes no writes
SETTINGS = "retriton_names_settings"  # a collection that maps names to settings of searches
_TABLES = ("collection_meta", "bm25_stats", "token_doc_count")  # of Milvus Lite, in the same namespace
_RESERVED_PREFIXES = (POINTERS, "sqlite_")  # SQLite, on which Milvus Lite is based, reserves its prefix
_VALID = re.compile(PATTERN.removesuffix("$") + r"\Z")


def check_name(name: str) -> str:
    """Returns ``name`` if a collection may have it.

    Raises:
        InvalidOption: it has other characters than ASCII letters, digits and underscores, begins with a digit, is empty
            or longer than 100 characters, or is reserved.
    """
    if not _VALID.match(name):
        raise InvalidOption(
            f"the collection name {name!r:.120} is invalid: it needs 1 to 100 ASCII letters, digits and underscores, "
            "and must not begin with a digit"
        )
    if _is_reserved(name):
        reserved = ", ".join((*_TABLES, *(f"{prefix}..." for prefix in _RESERVED_PREFIXES)))
        raise InvalidOption(f"the collection name {name!r} is reserved ({reserved}): choose another one")
    return name


def is_valid(name: str) -> bool:
    """Returns whether a collection may have the name."""
    return bool(_VALID.match(name)) and not _is_reserved(name)


def _is_reserved(name: str) -> bool:
    return name.lower() in _TABLES or name.lower().startswith(_RESERVED_PREFIXES)
