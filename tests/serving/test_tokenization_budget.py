"""Long texts are tokenized beside the lane, short ones in rounds of bounded size."""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass

import pytest

from retriton_serving.contract.errors import BadText, Overloaded, ShuttingDown
from retriton_serving.triton.tokenization_budget import (
    REQUEST_BYTES_MAX,
    ROUND_BYTES_MAX,
    SHORT_TEXT_BYTES_MAX,
    LongTexts,
    Round,
)


@dataclass
class Texts:
    size_bytes: int
    longest_bytes: int


def test_a_round_takes_short_texts_up_to_its_size() -> None:
    tokenized_here = Round()
    short = Texts(ROUND_BYTES_MAX // 2, SHORT_TEXT_BYTES_MAX)
    assert [tokenized_here.admits(short) for _ in range(3)] == [True, True, False]
    assert not Round().admits(Texts(SHORT_TEXT_BYTES_MAX + 1, SHORT_TEXT_BYTES_MAX + 1))
    with pytest.raises(BadText, match=f"have {REQUEST_BYTES_MAX + 1} bytes, at most {REQUEST_BYTES_MAX}"):
        Round().admits(Texts(REQUEST_BYTES_MAX + 1, 1))


def test_long_texts_are_tokenized_elsewhere_in_order_and_bounded() -> None:
    begun, go_on = threading.Event(), threading.Event()
    tokenized: list[Texts] = []
    megabyte = 2**20

    def tokenize(request: Texts) -> None:
        begun.set()
        go_on.wait(10)
        tokenized.append(request)

    long_texts: LongTexts[Texts] = LongTexts(tokenize)
    requests = [Texts(megabyte, megabyte) for _ in range(4)]
    for request in requests:
        long_texts.put(request)  # returns, although none is tokenized yet
    assert begun.wait(10)
    with pytest.raises(Overloaded, match="4194304 bytes of long texts are queued already, at most 4194304"):
        long_texts.put(requests[0])
    go_on.set()
    long_texts.close()  # waits for what was accepted
    assert [id(request) for request in tokenized] == [id(request) for request in requests]
    with pytest.raises(ShuttingDown):
        long_texts.put(requests[0])


def test_the_thread_for_long_texts_leaves_the_cores_to_others() -> None:
    priorities: queue.Queue[int] = queue.Queue()
    texts = LongTexts[Texts](lambda _: priorities.put(os.nice(0)))
    texts.put(Texts(1, 1))
    assert priorities.get(timeout=10) == min(19, os.nice(0) + 10)
    texts.close()
