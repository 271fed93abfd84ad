"""Search settings, stored beside the collections that they were learned or measured for.

Collections of Milvus Lite have no properties that can be altered, so a small collection maps names to settings, on
servers too. Settings belong to a name and an encoder: a rebuild keeps them, another encoder does not use them.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pymilvus import DataType

from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.names import SETTINGS

_JSON_BYTES_MAX = 4096
_ENCODERS_MAX = 2  # of a collection


Settings = dict[str, dict[str, Any]]
LEARNED = "values"  # by judged queries
CALIBRATED = "calibration"  # by its texts


def read_settings(milvus: Milvus, name: str, fingerprint: str) -> Settings:
    """Returns the settings of the collection ``name`` for an encoder, by their origin. Raises `StoreError`."""
    return _by_encoder(milvus, name).get(fingerprint, {})


def write_settings(milvus: Milvus, name: str, fingerprint: str, origin: str, values: dict[str, Any] | None) -> None:
    """Replaces the settings of the collection ``name`` of this origin; None removes them. Raises `StoreError`.

    Those of the former encoder are kept, for the way back from a switch.
    """
    if not milvus.has(SETTINGS):
        _create(milvus)
    found = _by_encoder(milvus, name)
    own = {**found.pop(fingerprint, {}), origin: values}
    kept = {fingerprint: {key: value for key, value in own.items() if value is not None}, **found}
    text = json.dumps(dict(list(kept.items())[:_ENCODERS_MAX]))
    milvus.call("upsert", SETTINGS, data=[{"name": name, "settings": text, "vector": np.zeros(2, np.float32)}])


def _by_encoder(milvus: Milvus, name: str) -> dict[str, Settings]:
    """The settings by the encoder's fingerprint, the last ones that were written first."""
    if not milvus.has(SETTINGS):
        return {}
    milvus.call("load_collection", SETTINGS)
    rows = milvus.call("query", SETTINGS, filter=f'name == "{name}"', output_fields=["settings"], **_STRONG)
    found: dict[str, Any] = json.loads(rows[0]["settings"]) if rows else {}
    return {found.pop("fingerprint"): found} if "fingerprint" in found else found  # of one encoder, in Retriton 0.1


def _create(milvus: Milvus) -> None:
    schema = milvus.client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("name", DataType.VARCHAR, is_primary=True, max_length=255)
    schema.add_field("settings", DataType.VARCHAR, max_length=_JSON_BYTES_MAX)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)  # Milvus requires a vector field
    index = milvus.client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    milvus.call("create_collection", SETTINGS, schema=schema, index_params=index)


_STRONG = {"consistency_level": "Strong"}
