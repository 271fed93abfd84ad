"""The collections of a Milvus Lite file or a Milvus server, by name."""

from __future__ import annotations

from pathlib import Path

from retriton_pipeline.store.collection import describe
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import is_valid
from retriton_pipeline.store.store import Store


def collection_names(uri: str, token: str = "") -> list[str]:
    """Returns the sorted names of collections, without those of other programs.

    Raises:
        StoreError: Milvus cannot be reached.
    """
    if "://" not in uri and not Path(uri).exists():
        return []
    milvus = Milvus(uri, token, create=False)
    try:
        found = (describe(milvus, target).version_of for target in milvus.call("list_collections"))
        return sorted({name for name in found if name and is_valid(name)})
    finally:
        milvus.close()


def drop_collection(uri: str, name: str, token: str = "") -> None:
    """Drops a collection with all its versions, if it exists.

    Raises:
        StoreError: Milvus cannot be reached, or failed.
    """
    if "://" not in uri and not Path(uri).exists():
        return
    store = Store(uri, name, token, create=False)
    try:
        store.drop()
    finally:
        store.close()
