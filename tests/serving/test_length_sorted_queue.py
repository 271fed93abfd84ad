from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriton_serving.batching.length_sorted_queue import BatchLimits, LengthSortedQueue

LENGTHS = st.lists(st.integers(1, 600), min_size=1, max_size=80)


def take_all(lengths: list[int], limits: BatchLimits) -> list[list[int]]:
    queue: LengthSortedQueue[int] = LengthSortedQueue()
    for index, length in enumerate(lengths):
        queue.add(length, index)
    batches = []
    while queue:
        batches.append(queue.take(limits))
    assert queue.tokens == 0
    return batches


@given(LENGTHS, st.integers(16, 1024))
def test_every_text_goes_once_and_batches_keep_the_limits(lengths: list[int], tokens_max: int) -> None:
    limits = BatchLimits(tokens_max)
    batches = take_all(lengths, limits)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        sizes = [lengths[index] for index in batch]
        padding = len(sizes) * max(sizes) - sum(sizes)
        assert len(batch) == 1 or limits.padding(len(sizes), sum(sizes), max(sizes)) == padding


@given(LENGTHS)
def test_the_oldest_text_is_in_the_next_batch(lengths: list[int]) -> None:
    left = set(range(len(lengths)))
    for batch in take_all(lengths, BatchLimits(256)):
        assert min(left) in batch
        left -= set(batch)


def test_requests_are_finished_rather_than_begun() -> None:
    """However much waits, a text is at most a window behind those that came after it."""
    limits = BatchLimits(64)
    lengths = [8 + (index * 7919) % 56 for index in range(2000)]
    left, done_tokens = set(range(2000)), 0
    for batch in take_all(lengths, limits):
        ahead = sum(lengths[index] for index in range(min(left), max(batch)) if index in left)
        assert ahead <= limits.window_tokens + 64
        left -= set(batch)
        done_tokens += sum(lengths[index] for index in batch)
    assert done_tokens == sum(lengths)


def test_an_urgent_text_is_next() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    for number in range(500):
        queue.add(100, f"bulk {number}")
    assert "bulk 0" in queue.take(BatchLimits(512))
    queue.add(3, "probe", urgent=True)
    assert queue.take(BatchLimits(512)) == ["probe"]


def test_urgent_texts_keep_their_order() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    queue.add(600, "bulk")
    for number in range(3):
        queue.add(512, f"probe {number}", urgent=True)
    assert [queue.take(BatchLimits(512)) for _ in range(4)] == [["probe 0"], ["probe 1"], ["probe 2"], ["bulk"]]


def test_callers_take_turns_in_proportion_to_their_tokens() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    for number in range(100):
        queue.add(400, f"a {number}", "a")
    assert queue.take(BatchLimits(512)) == ["a 0"]
    for number in range(8):
        queue.add(100, f"b {number}", "b")
    batches = [queue.take(BatchLimits(512)) for _ in range(4)]
    assert batches == [["b 0", "b 1", "b 2", "b 3"], ["a 1"], ["b 4", "b 5", "b 6", "b 7"], ["a 2"]]


def test_a_caller_who_comes_back_takes_no_turn_for_the_time_of_absence() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    for number in range(20):
        queue.add(512, f"a {number}", "a")
    for _ in range(10):
        queue.take(BatchLimits(512))
    for number in range(10):
        queue.add(512, f"b {number}", "b")
    order = [queue.take(BatchLimits(512))[0][0] for _ in range(20)]
    assert "aaa" not in "".join(order)[:18]
    assert "bbb" not in "".join(order)[:18]


def test_turns_wait_for_what_is_computed_before() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    for _ in range(10):
        queue.add(100, "a", "a")
    queue.add(50, "b", "b")
    assert [queue.turns.tokens_ahead(caller) for caller in ("a", "b", "c")] == [1050, 100, 0]
    for number in range(100):
        queue.add(1, "d", f"d {number}")
    assert queue.turns.tokens_ahead("") == 38 + 2 * 38 + 62  # 38 names too many
    while queue:
        queue.take(BatchLimits(512))
    assert queue.turns.tokens_ahead("a") == queue.tokens == 0


def test_texts_without_tokens_have_turns() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    for item in ("a 0", "a 1", "a 2"):
        queue.add(0, item, "a")
    assert [item for _ in range(3) for item in queue.take(BatchLimits(512))] == ["a 0", "a 1", "a 2"]


def test_padding_stays_small_on_mixed_lengths() -> None:
    lengths = [8 + (index * 7919) % 243 for index in range(512)]
    batches = take_all(lengths, BatchLimits(1024))
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert 1 - sum(lengths) / padded <= 0.05


def test_a_text_longer_than_the_budget_goes_alone() -> None:
    assert take_all([10, 10, 5000, 10], BatchLimits(64)) == [[0, 1], [2], [3]]


def test_an_urgent_text_does_not_overtake_urgent_ones_that_wait() -> None:
    queue: LengthSortedQueue[str] = LengthSortedQueue()
    queue.add(512, "probe 0", urgent=True)
    queue.add(512, "probe 1", urgent=True)
    assert queue.take(BatchLimits(512)) == ["probe 0"]
    queue.add(512, "probe 2", urgent=True)
    assert [queue.take(BatchLimits(512)) for _ in range(2)] == [["probe 1"], ["probe 2"]]


@pytest.mark.parametrize(("texts", "tokens", "longest"), [(5, 400, 128), (9, 60, 16), (4, 330, 128)])
def test_what_does_not_fit_has_infinite_padding(texts: int, tokens: int, longest: int) -> None:
    """Too many tokens, too many texts, too much padding."""
    assert BatchLimits(512, texts_max=8).padding(texts, tokens, longest) == inf
