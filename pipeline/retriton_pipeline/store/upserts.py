"""Writes rows to a collection, and makes sure of what Milvus Lite says about it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from retriton_pipeline.batches import batched
from retriton_pipeline.errors import StoreError
from retriton_pipeline.store.lite_file import check_space
from retriton_pipeline.store.milvus import Milvus
from retriton_pipeline.store.rows import size_of_row

_FILE_ROWS_PER_CALL = 128  # searches wait for a call: of 256, 150 ms and more


def upsert(milvus: Milvus, target: str, rows: Sequence[dict[str, Any]]) -> None:
    """Writes rows to the collection ``target``, in their order. Idempotent.

    Raises:
        StoreError: Milvus failed, or Milvus Lite did not store all rows, for example because the disk is full.
    """
    if not milvus.is_file:
        milvus.call("upsert", target, data=list(rows))
        return
    check_space(milvus.uri, sum(map(size_of_row, rows)))
    for some in batched(rows, _FILE_ROWS_PER_CALL):
        milvus.call("upsert", target, data=some)
        _check_stored(milvus, target, {row["id"] for row in some})  # it may report success and have stored nothing


def _check_stored(milvus: Milvus, target: str, ids: Collection[str]) -> None:
    if not ids:
        return
    condition = f"id in {json.dumps(list(ids))}"
    (found,) = milvus.call("query", target, filter=condition, output_fields=["count(*)"], consistency_level="Strong")
    stored = int(found["count(*)"])
    if stored < len(ids):
        raise StoreError(
            f"{milvus.uri} has stored only {stored} of {len(ids)} chunks. What was stored before is kept: check the "
            "disk, and run the same command again"
        )
