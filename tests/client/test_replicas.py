"""A client of several servers: where requests go, when one fails, and when it returns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import grpc
import pytest

from retriton_client import AsyncClient, Client, InvalidRequest, Limits, Retry, Unavailable
from tests.client.scripted_server import ScriptedServer, running

OVERLOADED = (grpc.StatusCode.UNAVAILABLE, 'OVERLOADED: full {"waiting":1,"waiting_max":1}')
DOWN = (grpc.StatusCode.UNAVAILABLE, "connection refused")


@contextmanager
def servers(count: int, seconds: float = 0.01) -> Iterator[list[tuple[ScriptedServer, str]]]:
    with ExitStack() as stack:
        started = [stack.enter_context(running(lambda texts, number: seconds)) for _ in range(count)]
        yield [(server, url) for url, server in started]


def url_of(found: list[tuple[ScriptedServer, str]]) -> str:
    return ",".join(url for _, url in found)


def counts(found: list[tuple[ScriptedServer, str]]) -> list[int]:
    return [len(server.requests) for server, _ in found]


def test_requests_are_spread_evenly() -> None:
    with servers(3) as found, Client(url_of(found), limits=Limits(texts_per_request=1)) as client:
        vectors = client.embed_passages(["x" * n for n in range(1, 61)])
    assert [vector[0] for vector in vectors] == list(range(1, 61))
    assert max(counts(found)) - min(counts(found)) <= 6


def test_the_fastest_gets_most() -> None:
    with servers(2) as found, Client(url_of(found), limits=Limits(texts_per_request=1)) as client:
        found[0][0].script = lambda texts, number: 0.1
        client.embed_passages(["x"] * 60)
    slow, fast = counts(found)
    assert fast > 2 * slow


def test_a_refusal_is_answered_by_another_without_a_pause() -> None:
    patient = Retry(attempts_max=3, delay_first_s=30, delay_max_s=30)
    with servers(2) as found, Client(url_of(found), retry=patient) as client:
        found[0][0].script = lambda texts, number: OVERLOADED
        start = time.monotonic()
        for _ in range(4):
            client.embed_queries(["x"])
        assert time.monotonic() - start < 10
    assert counts(found)[1] == 4
    assert counts(found)[0] >= 2  # a full queue is no failure


async def test_a_server_that_failed_gets_nothing_until_it_is_ready() -> None:
    ready = False
    with servers(2) as found:
        broken = found[0][0]
        broken.script = lambda texts, number: DOWN
        broken.is_ready = lambda: ready
        async with AsyncClient(url_of(found)) as client:
            for _ in range(20):
                await client.embed_queries(["x"])
            assert counts(found) == [1, 20]
            broken.script, ready = lambda texts, number: None, True
            deadline = time.monotonic() + 10
            while counts(found)[0] < 5:
                await client.embed_queries(["x"])
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)


def test_a_server_that_dies_under_load_costs_no_call() -> None:
    one_by_one = Limits(texts_per_request=1)
    with servers(2) as found, ExitStack() as stack:
        url, dying = stack.enter_context(running(lambda texts, number: 0.01))
        with Client(f"{url},{url_of(found)}", limits=one_by_one, timeout_s=30) as client:
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(client.embed_passages, ["x"] * 300)
                while len(dying.requests) < 10:
                    time.sleep(0.005)
                stack.close()
                assert call.result().shape == (300, 2)


def test_an_error_names_the_server_if_all_are_dead() -> None:
    with Client("127.0.0.1:1,127.0.0.1:2", timeout_s=5, retry=Retry(attempts_max=4)) as client:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:[12]: "):
            client.embed_queries(["x"])


@pytest.mark.parametrize("url", ["a:1,", ",", "a:1, a:1"])
def test_wrong_lists_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="url"):
        AsyncClient(url)


def test_a_list_may_have_spaces() -> None:
    with servers(2) as found, Client(url_of(found).replace(",", " , ")) as client:
        client.embed_queries(["x"])
    assert sum(counts(found)) == 1
