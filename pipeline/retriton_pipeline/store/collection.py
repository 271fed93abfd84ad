"""Creation of collections: fields, indexes, and the description that records encoder and layout."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from pymilvus.client.types import LoadState

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.errors import CollectionOutdated, EncoderMismatch, InvalidOption, StoreError
from retriton_pipeline.store.indexes import METRIC, PROFILES, IndexProfile
from retriton_pipeline.store.lite_file import index_ids
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.rows import add_fields

_POLL_S = 0.2
_STALLED_S = 300.0
LAYOUT = 4  # increment it when the fields of a collection change


@dataclass(frozen=True)
class Description:
    """The stored description of a collection.

    Attributes:
        encoder, fingerprint: encoder of the vectors; empty if another program created the collection.
        layout: version of the fields.
        version_of: name that users search; the collection is one version of it.
        index: index profile.
        has_bm25: whether the collection has a BM25 index.
        analysis: version of the terms of the BM25 index; 0 for collections whose texts Milvus splits into words.
        imported: whether a bulk import fills it. Until it is published, it may lack chunks of any document.
        collection_id: number that a Milvus server gives to each collection that is created; 0 in a file.
    """

    encoder: str
    fingerprint: str
    layout: int
    version_of: str
    index: IndexProfile
    has_bm25: bool
    analysis: int
    imported: bool = False
    collection_id: int = 0

    def check(self, collection: str, encoder: EncoderInfo) -> None:
        """Raises `StoreError` for another layout or later terms, and `EncoderMismatch` for another encoder."""
        if self.encoder and self.layout != LAYOUT:
            raise CollectionOutdated(
                f"collection {collection!r} has layout {self.layout} of another version of Retriton, this version "
                f"requires {LAYOUT}. Rebuild it with `retriton ingest --rebuild`."
            )
        if self.analysis not in (0, ANALYSIS):
            raise CollectionOutdated(
                f"the words of collection {collection!r} were indexed by another version of Retriton (version "
                f"{self.analysis}, this one has {ANALYSIS}). Rebuild it with `retriton ingest --rebuild`."
            )
        if self.fingerprint != encoder.fingerprint:
            raise EncoderMismatch(
                f"collection {collection!r} was made with {self.encoder or 'another program'} "
                f"({self.fingerprint or 'no fingerprint'}), the server has {encoder.name} ({encoder.fingerprint}): "
                "their vectors cannot be compared. Serve that encoder (with --next-url: beside this one), ingest into "
                "another --collection, or replace the content with `retriton ingest --rebuild`."
            )


def describe(milvus: Milvus, target: str) -> Description:
    """Reads the description that was written when the collection was created."""
    found = milvus.call("describe_collection", target)
    try:
        made_with = json.loads(found["description"])
    except ValueError:
        made_with = None
    if not isinstance(made_with, dict):  # created by another program
        made_with = {}
    index = PROFILES.get(made_with.get("index", ""), PROFILES["auto"])
    has_bm25 = "bm25" in {entry["name"] for entry in found["fields"]}
    return Description(
        made_with.get("encoder", ""),
        made_with.get("fingerprint", ""),
        made_with.get("layout", 1),
        made_with.get("version_of", ""),
        index,
        has_bm25,
        made_with.get("analysis", 0),
        made_with.get("imported", False),
        found.get("collection_id", 0),
    )


def own_versions(milvus: Milvus, name: str) -> list[str]:
    """Returns the versions of a name, oldest first."""
    found = milvus.call("list_collections")
    mine = [version for version in found if version == name or version.startswith(f"{name}_v")]
    mine = [version for version in mine if describe(milvus, version).version_of == name]
    return sorted(mine, key=lambda version: (len(version), version))


def check_is_no_version(milvus: Milvus, name: str, target: str) -> None:
    """Raises `InvalidOption` if ``name`` is not a name that refers to ``target``, but ``target`` itself."""
    owner = describe(milvus, target).version_of if target == name else name
    if owner not in ("", name):
        raise InvalidOption(f"{name!r} is a version of the collection {owner!r}, not a collection: use {owner!r}")


def check_case(milvus: Milvus, target: str) -> None:
    """Raises `StoreError` if a file has another collection whose name differs from ``target`` only in case.

    Milvus Lite stores both in one SQLite table, whose name is not case-sensitive.
    """
    if not milvus.is_file:
        return
    for other in milvus.call("list_collections"):
        if other != target and other.lower() == target.lower():
            raise StoreError(
                f"{milvus.uri} has a collection {other!r}, whose name differs from {target!r} only in case, and Milvus "
                "Lite would mix their chunks: use that name, another name, another file, or a Milvus server"
            )


def create_collection(
    milvus: Milvus, target: str, encoder: EncoderInfo, index: str, version_of: str, imported: bool = False
) -> None:
    """Creates a collection for vectors of ``encoder``, as a version of the name ``version_of``.

    ``imported`` marks it as one that a bulk import fills (see `Description`).

    Raises:
        StoreError: Milvus refused the call, a file has a collection whose name differs only in case, or the index
            profile does not exist or needs a Milvus server.
    """
    check_case(milvus, target)
    name = index_name(milvus, index)
    profile = _profile(milvus, name)
    with_bm25 = milvus.supports_bm25()
    made_with = {"encoder": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension}
    described = {**made_with, "layout": LAYOUT, "analysis": ANALYSIS, "index": name, "version_of": version_of}
    if imported:
        described["imported"] = True
    schema = milvus.client.create_schema(auto_id=False, enable_dynamic_field=False, description=json.dumps(described))
    add_fields(schema, encoder.dimension, with_bm25)
    milvus.call("create_collection", target, schema=schema, index_params=_indexes(milvus, profile, with_bm25))
    if milvus.is_file:
        index_ids(milvus.uri)


def index_name(milvus: Milvus, index: str) -> str:
    """Returns the name of the index profile; the default is ``flat`` for Milvus Lite and ``hnsw`` for a server."""
    return index or ("flat" if milvus.is_file else "hnsw")


def load(milvus: Milvus, target: str) -> None:
    """Loads a collection for searching. Creates missing indexes first, in case its creation was interrupted."""
    if not milvus.call("list_indexes", target):
        found = describe(milvus, target)
        milvus.call("create_index", target, index_params=_indexes(milvus, found.index, found.has_bm25))
    milvus.call("load_collection", target)


def load_fully(milvus: Milvus, target: str) -> None:
    """Loads a large collection of a server for searching, as long as that progresses.

    Raises:
        StoreError: Milvus failed, or has not loaded more of it for `_STALLED_S`.
    """
    milvus.call("load_collection", target, _async=True)
    progress, since = -1, time.monotonic()
    while (found := milvus.call("get_load_state", target))["state"] != LoadState.Loaded:
        if (now := found.get("progress", progress)) != progress:
            progress, since = now, time.monotonic()
        if time.monotonic() - since > _STALLED_S:
            raise StoreError(
                f"{milvus.uri} has loaded {progress} % of {target}, and nothing more for {_STALLED_S:.0f} s: its nodes "
                "may lack memory"
            )
        time.sleep(_POLL_S)


def _profile(milvus: Milvus, name: str) -> IndexProfile:
    profile = PROFILES.get(name)
    if profile is None:
        raise StoreError(f"there is no index profile {name!r}, only {', '.join(PROFILES)}")
    if milvus.is_file and not profile.runs_on_lite:
        able = ", ".join(known for known, entry in PROFILES.items() if entry.runs_on_lite)
        raise StoreError(f"Milvus Lite has no {profile.index_type} index, only {able}: {name} needs a Milvus server")
    return profile


def _indexes(milvus: Milvus, profile: IndexProfile, with_bm25: bool) -> Any:
    index = milvus.client.prepare_index_params()
    index.add_index("vector", index_type=profile.index_type, metric_type=METRIC, params=profile.build)
    if with_bm25:
        index.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    return index
