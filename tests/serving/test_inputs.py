"""Inputs of direct calls: what a model cannot compute, or what takes too much of it, is refused with the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from retriton_serving.contract.errors import BadParameter
from retriton_serving.engines.inputs import InputLimits

LIMITS = InputLimits(tokens_max=64, text_tokens_max=16, vocabulary=100)


def feed(rows: int = 2, tokens: int = 4, **changed: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    shape = (rows, tokens)
    return {"input_ids": np.full(shape, 7, np.int64), "attention_mask": np.ones(shape, np.int64), **changed}


def test_what_a_lane_could_send_passes() -> None:
    LIMITS.check(feed())
    LIMITS.check(feed(4, 16))
    LIMITS.check(feed(1, 4, token_type_ids=np.array([[0, 0, 1, 1]])))


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (1, 17), (5, 16), (500, 256)])
def test_sizes_are_bounded(shape: tuple[int, int]) -> None:
    with pytest.raises(BadParameter, match=f"{shape[0]} rows of {shape[1]} tokens.*at most 64 tokens") as refused:
        LIMITS.check(feed(*shape))
    assert refused.value.numbers["tokens_max"] == 64


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input_ids": np.array([[7, 7, 7, 7], [7, 7, 100, 7]])}, "input_ids has 100 at row 1, column 2; .* 0 to 99"),
        ({"input_ids": np.array([[7, -1, 7, 7], [7, 7, 7, 7]])}, "input_ids has -1 at row 0, column 1"),
        ({"attention_mask": np.array([[1, 1, 2, 1], [1, 1, 1, 1]])}, "attention_mask has 2 at row 0, column 2"),
        ({"attention_mask": np.array([[1, 1, 1, 1], [0, 0, 0, 0]])}, "all zeros"),
        ({"attention_mask": np.ones((2, 5), np.int64)}, r"attention_mask has the shape \[2, 5\], input_ids \[2, 4\]"),
        ({"token_type_ids": np.full((2, 4), 2)}, "token_type_ids has 2"),
    ],
)
def test_values_are_checked(changed: dict[str, NDArray[np.int64]], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        LIMITS.check(feed(**changed))
