"""Requests that go together: each gets what it would get alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from retriton_client import AsyncClient, DeadlineExceeded, Limits, Retry, TextTooLong, Unavailable
from retriton_pipeline.gateway.services.coalescing import Gathering, Kind

pytestmark = pytest.mark.triton
QUERY = Kind("query", "NONE", None)
TEXTS = [f"question {number} of many" for number in range(40)]


class Counted(AsyncClient):
    """Counts its calls, and what it has under way."""

    calls = 0

    async def embed(self, *arguments, **options):  # type: ignore[no-untyped-def]
        self.calls += 1
        self.called.set()
        return await super().embed(*arguments, **options)


@pytest.fixture
async def client(url: str) -> AsyncIterator[Counted]:
    async with Counted(url, limits=Limits(256, 64), retry=Retry(attempts_max=1)) as connected:
        connected.called = asyncio.Event()
        yield connected


async def test_many_go_in_few_calls_and_get_their_own(client: Counted) -> None:
    alone = (await AsyncClient.embed(client, TEXTS, "query")).vectors
    gathering = Gathering(client)
    found = await asyncio.gather(*(gathering.embed([text], QUERY) for text in TEXTS))
    assert client.calls <= 3
    np.testing.assert_allclose(np.concatenate([one.vectors for one in found]), alone, atol=2e-3)
    assert [one.tokens.shape for one in found] == [(1,)] * len(TEXTS)


async def test_a_refused_text_is_its_own_callers_trouble(client: Counted) -> None:
    gathering = Gathering(client)
    texts = [["good"], ["fine", "word " * 1000], ["well"]]
    found = await asyncio.gather(*(gathering.embed(one, QUERY) for one in texts), return_exceptions=True)
    assert isinstance(found[1], TextTooLong)
    assert (found[1].index, found[1].tokens_max) == (1, 256)  # in its own list
    assert found[0].vectors.shape == found[2].vectors.shape == (1, 384)  # type: ignore[union-attr]


async def test_kinds_do_not_mix(client: Counted) -> None:
    gathering = Gathering(client)
    kinds = [QUERY, Kind("passage", "NONE", None), Kind("query", "NONE", 8), Kind("query", "END", None)]
    found = await asyncio.gather(*(gathering.embed(["text"], kind) for kind in kinds))
    assert client.calls == 4
    assert [one.vectors.shape[1] for one in found] == [384, 384, 8, 384]


async def test_who_leaves_before_the_call_costs_nothing(client: Counted) -> None:
    gathering = Gathering(client)
    leaving = [asyncio.ensure_future(gathering.embed([text], QUERY)) for text in TEXTS]
    await asyncio.sleep(0)  # they wait now, and no call is sent yet
    for task in leaving:
        task.cancel()
    assert (await gathering.embed(["stays"], QUERY)).vectors.shape == (1, 384)
    assert client.calls == 1


async def test_a_call_that_nobody_waits_for_is_given_up(client: Counted) -> None:
    gathering = Gathering(client)
    long = [" ".join(["many words"] * 100) for _ in range(16)]
    task = asyncio.ensure_future(gathering.embed(long, Kind("passage", "END", None)))
    await client.called.wait()
    task.cancel()
    await asyncio.sleep(0.05)
    assert not gathering._tasks  # its request is cancelled at the server, too, as for every client that leaves


async def test_failures_reach_everybody() -> None:
    async with AsyncClient("127.0.0.1:9", retry=Retry(attempts_max=1), timeout_s=2) as nowhere:
        gathering = Gathering(nowhere)
        found = await asyncio.gather(*(gathering.embed([text], QUERY) for text in TEXTS), return_exceptions=True)
    assert {type(one) for one in found} <= {Unavailable, DeadlineExceeded}
    assert len(found) == len(TEXTS)
