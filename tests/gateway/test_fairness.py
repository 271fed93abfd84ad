"""What keys share: none takes it from the others."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from retriton_pipeline.gateway.fairness import FairSlots, RoundRobin, Shares, current_key


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
