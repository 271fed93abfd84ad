"""Collection names that refer to versions, and can be switched to another version during searches.

On a server, names are aliases. Milvus Lite has no aliases, so a small collection maps names to versions there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, count
from typing import Protocol

import numpy as np
from pymilvus import DataType

from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import FORMER, FROZEN, POINTERS

_SWITCHED = r"_v(\d+)_[0-9a-f]{8}"  # versions of `retriton switch`
_FIELDS = {"name", "target", "vector"}  # of the pointers


class Versions(Protocol):
    """Maps collection names to versions."""

    def resolve(self, name: str) -> str | None:
        """Returns the collection that ``name`` refers to; None if it does not exist."""

    def first(self, name: str) -> str:
        """Returns the name of the first version of ``name``."""

    def switch(self, name: str, target: str) -> None:
        """Makes ``name`` refer to the collection ``target``."""

    def forget(self, name: str) -> None:
        """Removes the mapping of ``name``; a collection with that name is kept."""


def versions(milvus: Milvus) -> Versions:
    """Returns the implementation for Milvus Lite or a server."""
    return _Pointers(milvus) if milvus.is_file else _Aliases(milvus)


def following(name: str, current: str) -> str:
    """Returns the name of the version after ``current``."""
    return f"{name}_v{_number(name, current) + 1}"


def for_encoder(name: str, existing: Iterable[str], fingerprint: str) -> str:
    """Returns the name of the version after all ``existing`` ones, for vectors of one encoder.

    The name has the start of the encoder's fingerprint, so that it never refers to vectors of two encoders: whoever
    searches a version by its name is sure of what is compared.
    """
    number = max(_number(name, version) for version in existing)
    return f"{name}_v{number + 1}_{fingerprint[:8]}"


def is_for_encoder(name: str, version: str) -> bool:
    """Returns whether a name is one of `for_encoder`."""
    return re.fullmatch(re.escape(name) + _SWITCHED, version) is not None


def drop_version(milvus: Milvus, known: Versions, name: str, version: str) -> None:
    """Drops a version of ``name`` with the pointers to it, which a server would not let go."""
    known.forget(FROZEN + version)
    if known.resolve(FORMER + name) == version:
        known.forget(FORMER + name)
    milvus.call("drop_collection", version)


def _number(name: str, version: str) -> int:
    found = re.fullmatch(re.escape(name) + r"_v(\d+)(?:_[0-9a-f]{8})?", version)
    return int(found[1]) if found else 1


class _Aliases:
    """Versions as aliases of a Milvus server."""

    def __init__(self, milvus: Milvus) -> None:
        self._milvus = milvus

    def resolve(self, name: str) -> str | None:
        if name in self._milvus.call("list_collections"):
            return name
        return str(self._milvus.call("describe_alias", name)["collection_name"]) if self._milvus.has(name) else None

    def first(self, name: str) -> str:
        return f"{name}_v1"

    def switch(self, name: str, target: str) -> None:
        current = self.resolve(name)
        if current == name:  # created without versions: an alias cannot have the name of a collection
            self._milvus.call("drop_collection", name)
        self._milvus.call("create_alias" if current in (name, None) else "alter_alias", target, name)

    def forget(self, name: str) -> None:
        if self.resolve(name) not in (name, None):
            self._milvus.call("drop_alias", name)


class _Pointers:
    """Versions as rows of a small collection in a Milvus Lite file. A name without a row refers to itself."""

    def __init__(self, milvus: Milvus) -> None:
        self._milvus = milvus

    def resolve(self, name: str) -> str | None:
        target = self._targets().get(name, name)
        return target if self._milvus.has(target) else None

    def first(self, name: str) -> str:
        return name

    def switch(self, name: str, target: str) -> None:
        pointers = self._collection()
        if not self._milvus.has(pointers):
            self._create(pointers)
        row = {"name": name, "target": target, "vector": np.zeros(2, np.float32)}
        self._milvus.call("upsert", pointers, data=[row])

    def forget(self, name: str) -> None:
        if self._milvus.has(pointers := self._collection()):
            self._milvus.call("delete", pointers, ids=[name])

    def _targets(self) -> dict[str, str]:
        if not self._milvus.has(pointers := self._collection()):
            return {}
        self._milvus.call("load_collection", pointers)
        rows = self._milvus.call("query", pointers, filter='name != ""', output_fields=["name", "target"])
        return {row["name"]: row["target"] for row in rows}

    def _collection(self) -> str:
        """Returns the collection of the pointers, which may not exist yet.

        Earlier versions of Retriton accepted its name for documents; such a collection is left alone.
        """
        candidates = chain([POINTERS], (f"{POINTERS}_{number}" for number in count(2)))
        return next(name for name in candidates if not self._milvus.has(name) or self._fields(name) >= _FIELDS)

    def _fields(self, collection: str) -> set[str]:
        return {entry["name"] for entry in self._milvus.call("describe_collection", collection)["fields"]}

    def _create(self, pointers: str) -> None:
        schema = self._milvus.client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("name", DataType.VARCHAR, is_primary=True, max_length=255)
        schema.add_field("target", DataType.VARCHAR, max_length=255)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)  # Milvus requires a vector field
        index = self._milvus.client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        self._milvus.call("create_collection", pointers, schema=schema, index_params=index)
