"""Rows that are not what the manifest says fail their own text only, and are not cached."""

from __future__ import annotations

import numpy as np
import pytest

from retriton_serving.batching.batcher import LaneLimits, MicroBatcher
from retriton_serving.batching.dispatcher import ComputedBatch
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.row_check import RowCheck
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract.errors import InvalidResult
from tests.serving.outcome import Outcome

UNIT = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0]], np.float32)


def with_row(row: list[float]) -> Vectors:
    rows = UNIT.copy()
    rows[1] = row
    return rows


@pytest.mark.parametrize(
    ("rows", "normalized", "faults"),
    [
        (UNIT, True, {}),
        (UNIT * np.float32(1.005), True, {}),  # as engines of half precision
        (with_row([np.nan, 1]), True, {1: "is not finite"}),
        (with_row([np.inf, 1]), False, {1: "is not finite"}),
        (with_row([0.0, 0.0]), True, {1: "has length 0, not 1"}),
        (with_row([3.0, 4.0]), True, {1: "has length 5, not 1"}),
        (with_row([3.0, 4.0]), False, {}),
        (with_row([1e30, 0.0]), False, {}),  # its square is infinite in float32
        (UNIT[:, :1], True, dict.fromkeys(range(3), "has 1 values, the manifest has 2")),
    ],
)
def test_faults_of_rows(rows: Vectors, normalized: bool, faults: dict[int, str]) -> None:
    with np.errstate(over="ignore"):
        assert RowCheck(2, normalized).faults(rows) == faults


def test_scores_have_one_value() -> None:
    assert RowCheck(1, False).faults(np.array([1.5, np.nan], np.float32)) == {1: "is not finite"}


def test_an_invalid_vector_fails_its_own_request_with_the_index_and_is_not_cached() -> None:
    def encode(ids: TokenIds, mask: TokenIds) -> Vectors:
        rows = np.tile(np.array([0.6, 0.8], np.float32), (len(ids), 1))
        rows[ids[:, 0] == 13] = np.nan
        return rows

    computed, cache = list[ComputedBatch](), VectorCache(10_000)
    limits = LaneLimits(BatchLimits(64), 10.0, 1000, 1)
    batcher = MicroBatcher(encode, limits, Padding(0, 16), computed.append, cache, RowCheck(2, True))
    good, bad = Outcome(), Outcome()
    batcher.submit(Request([[1, 2], [3]], good))
    batcher.submit(Request([[4], [13]], bad))
    batcher.close()
    assert good.vectors is not None
    assert good.vectors.tolist() == np.tile(np.array([0.6, 0.8], np.float32), (2, 1)).tolist()
    assert isinstance(bad.error, InvalidResult)
    assert bad.error.wire.numbers == {"index": 1}
    assert str(bad.error).startswith("text 1 has an invalid result, which is not finite")
    assert sum(batch.invalid for batch in computed) == 1
    assert (cache.find([13]), cache.find([4]) is None) == (None, False)
