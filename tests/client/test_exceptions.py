"""Errors cross the borders of processes: those of workers arrive as they were raised."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import retriton_client
from retriton_client import InvalidRequest, RetritonError, TextTooLong

KINDS = [
    kind
    for kind in vars(retriton_client).values()
    if inspect.isclass(kind) and issubclass(kind, RetritonError) and kind is not TextTooLong
]


@pytest.mark.parametrize("error", [*(kind("a message") for kind in KINDS), TextTooLong("too long", 3, 402, 256)])
def test_errors_can_be_pickled_and_copied(error: RetritonError) -> None:
    error.code, error.numbers, error.retryable = "CODE", {"index": 3}, True
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


def test_the_numbers_of_a_long_text_are_kept() -> None:
    other = pickle.loads(pickle.dumps(TextTooLong("too long", 3, 402, 256)))
    assert (other.index, other.tokens, other.tokens_max) == (3, 402, 256)
    assert isinstance(other, InvalidRequest)
