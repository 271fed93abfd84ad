"""What keys share: none takes it from the others."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriton_pipeline.gateway.fairness import RoundRobin, Shares, current_key
from retriton_pipeline.gateway.slots import Busy, FairSlots


def test_one_key_leaves_room_for_the_next() -> None:
    shares = Shares(512)
    greedy = sum(shares.take("greedy", 1) for _ in range(1000))
    assert 400 < greedy < 512
    assert sum(shares.take("next", 1) for _ in range(10)) == 10
    assert not shares.take("greedy", 1)
    shares.give_back("greedy", greedy)
    assert shares.take("greedy", 100)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), max_size=60))
def test_no_more_than_all_is_taken_and_everything_comes_back(requests: list[tuple[str, int]]) -> None:
    shares = Shares(100)
    taken = [(key, amount) for key, amount in requests if shares.take(key, amount)]
    assert shares.used == sum(amount for _, amount in taken) <= 100
    for key, amount in taken:
        shares.give_back(key, amount)
    assert shares.used == 0


def test_keys_take_turns() -> None:
    waiting: RoundRobin[int] = RoundRobin()
    for item in range(4):
        waiting.add("many", item)
    waiting.add("one", 10)
    waiting.discard("many", 2)
    waiting.discard("nobody", 2)
    assert [waiting.take() for _ in range(5)] == [0, 10, 1, 3, None]


async def test_a_key_with_many_waiting_requests_does_not_hold_up_another() -> None:
    slots, order = FairSlots(1), list[str]()

    async def work(key: str) -> None:
        current_key.set(key)
        async with slots.slot():
            order.append(key)

    async with slots.slot():
        tasks = [asyncio.create_task(work(key)) for key in ("many", "many", "many", "many", "one")]
        await asyncio.sleep(0)  # all wait now
    await asyncio.gather(*tasks)
    assert order == ["many", "one", "many", "many", "many"]


async def test_a_cancelled_request_gives_its_slot_to_the_next() -> None:
    slots = FairSlots(1)

    async def hold() -> None:
        async with slots.slot():
            await asyncio.sleep(10)

    tasks = [asyncio.create_task(hold()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:  # one that holds a slot, and two that wait
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), slots.slot():
        pass


def test_those_ahead_of_a_key_are_those_of_its_turns() -> None:
    waiting: RoundRobin[int] = RoundRobin()
    for item in range(9):
        waiting.add("many", item)
    waiting.add("few", 10)
    assert [waiting.ahead_of(key) for key in ("many", "few", "new")] == [10, 3, 2]


async def test_who_would_wait_too_long_is_refused_and_another_key_is_not() -> None:
    slots = FairSlots(2)
    waited: list[float] = []

    async def work(key: str) -> str:
        current_key.set(key)
        start_s = time.monotonic()
        try:
            async with slots.slot(waiting_s_max=0.4):
                waited.append(time.monotonic() - start_s)
                await asyncio.sleep(0.02)  # 100 a second
        except Busy as busy:
            return str(busy)
        return ""

    before = [asyncio.create_task(work("many")) for _ in range(60)]  # the pace is not known yet
    await asyncio.sleep(0.4)
    later = [asyncio.create_task(work("many")) for _ in range(100)]
    other = asyncio.create_task(work("other"))
    assert await other == ""
    assert not any(await asyncio.gather(*before))
    waited.clear()
    refused = [refusal for refusal in await asyncio.gather(*later) if refusal]
    assert 30 < len(refused) < 90
    assert "requests wait, which takes 0." in refused[-1]
    assert max(waited) < 1.0


async def refused_of(slots: FairSlots, number: int, seconds: float) -> int:
    """How many of so many requests at once, which take so long, are refused."""

    async def work() -> bool:
        try:
            async with slots.slot(waiting_s_max=1.0):
                await asyncio.sleep(seconds)
        except Busy:
            return True
        return False

    return sum(await asyncio.gather(*(work() for _ in range(number))))


async def test_slow_requests_for_which_nobody_waits_say_nothing_of_the_pace() -> None:
    slots = FairSlots(2)
    slow = [asyncio.create_task(refused_of(slots, 1, seconds)) for seconds in (0.01, 1.5)]
    await asyncio.gather(*slow)
    assert await refused_of(slots, 20, 0.01) == 0


async def test_the_pace_of_slow_requests_is_soon_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = FairSlots(2)
    assert await refused_of(slots, 4, 1.5) == 0
    assert await refused_of(slots, 20, 0.01) == 16
    assert await refused_of(slots, 20, 0.01) == 0
    assert await refused_of(slots, 4, 1.5) == 0
    monkeypatch.setattr("retriton_pipeline.gateway.slots._STALE_S", 0.1)
    await asyncio.sleep(0.2)
    assert await refused_of(slots, 20, 0.01) == 0
