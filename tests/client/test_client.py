from __future__ import annotations

import asyncio
import threading
import time

import grpc
import numpy as np
import pytest

from retriton_client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    InvalidRequest,
    Limits,
    Overloaded,
    RetritonError,
    Retry,
    ServerFault,
    TextTooLong,
    Unavailable,
)
from retriton_client._room import Room
from tests.client.scripted_server import Fault, running

TEXTS = [chr(97 + n % 26) * (n % 7 + 1) for n in range(50)]
EXPECTED = [[len(text), ord(text[0])] for text in TEXTS]
OVERLOADED: Fault = (grpc.StatusCode.UNAVAILABLE, 'OVERLOADED: 9 tokens are queued {"waiting":9,"waiting_max":8}')
NO_PAUSE = Retry(delay_first_s=0.001, delay_max_s=0.001)


def test_lists_are_split_and_come_back_in_order() -> None:
    with (
        running(lambda texts, number: 0.05 / number) as (url, server),  # later requests are answered earlier
        Client(url, limits=Limits(texts_per_request=8, requests_in_flight=4)) as client,
    ):
        np.testing.assert_array_equal(client.embed_passages(TEXTS), EXPECTED)
    assert sorted(len(texts) for _, texts, _ in server.requests) == [2] + [8] * 6
    assert {model for model, _, _ in server.requests} == {"embed_passage"}


async def test_the_async_client_is_the_same() -> None:
    with running(lambda texts, number: None) as (url, server):
        async with AsyncClient(url) as client:
            embeddings = await client.embed(TEXTS, "query", truncate="START")
    np.testing.assert_array_equal(embeddings.vectors, EXPECTED)
    assert embeddings.tokens.tolist() == [5] * 50
    assert embeddings.tokens_dropped.tolist() == [0] * 50
    assert {(model, parameters["truncate"].string_param) for model, _, parameters in server.requests} == {
        ("embed_query", "START")
    }


class Counting:
    """A script that answers slowly, and counts how many requests it has at a time, at the most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self.most = 0

    def __call__(self, texts: list[bytes], number: int) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1


def test_requests_in_flight_are_bounded() -> None:
    script = Counting()
    with running(script) as (url, _), Client(url, limits=Limits(2, 3)) as client:
        client.embed_queries(TEXTS)
    assert script.most == 3


async def test_small_requests_have_room_for_as_many_texts_as_full_ones() -> None:
    script = Counting()
    with running(script) as (url, _):
        async with AsyncClient(url, limits=Limits(2, 3)) as client:
            await asyncio.gather(*(client.embed_queries([text]) for text in TEXTS[:24]))
    assert script.most == 6


async def test_a_large_request_gets_room_before_small_ones_that_came_later() -> None:
    room, order = Room(4), []

    async def request(texts: int) -> None:
        async with room.held(texts, time.monotonic() + 5):
            order.append(texts)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(request(texts) for texts in (1, 4, 2, 3)))
    assert order == [1, 4, 2, 3]


async def test_room_of_cancelled_requests_is_free_again() -> None:
    room = Room(4)
    async with room.held(3, time.monotonic() + 5):
        held = [room.held(texts, time.monotonic() + 5) for texts in (4, 2)]
        waiting = [asyncio.ensure_future(one.__aenter__()) for one in held]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(DeadlineExceeded, match="waiting for other requests"):
        async with room.held(3, time.monotonic() + 0.01):
            raise AssertionError("the second waiting request holds two")
    async with room.held(2, time.monotonic() + 0.01):
        pass


def test_the_requests_of_a_call_are_bounded() -> None:
    script = Counting()
    with running(script) as (url, _), Client(url, limits=Limits(2, 8, requests_per_call=3)) as client:
        client.embed_queries(TEXTS)
    assert script.most == 3


class Roomy:
    """A script with room for some requests at a time; it refuses others, and those with certain numbers."""

    def __init__(self, room: int, refused: range = range(0)) -> None:
        self._room = threading.Semaphore(room)
        self._refused = refused
        self.refusals = 0

    def __call__(self, texts: list[bytes], number: int) -> Fault | None:
        if number in self._refused or not self._room.acquire(blocking=False):
            self.refusals += 1
            return OVERLOADED
        time.sleep(0.02)
        self._room.release()
        return None


@pytest.mark.parametrize("script", [Roomy(1), Roomy(9, range(5, 20))], ids=["own requests", "others"])
@pytest.mark.parametrize("method", ["embed", "rerank"])
def test_a_call_that_the_server_takes_waits_for_room(script: Room, method: str) -> None:
    limits, retry = Limits(2, 8), Retry(attempts_max=1, delay_first_s=0.01, delay_max_s=0.02)
    with running(script) as (url, _), Client(url, limits=limits, retry=retry) as client:
        if method == "embed":
            assert client.embed_passages(TEXTS)[:, 0].tolist() == [len(text) for text in TEXTS]
        else:
            assert client.rerank("why?", TEXTS).scores.tolist() == [len(text) for text in TEXTS]
    assert script.refusals


def test_a_call_that_the_server_never_takes_is_refused_at_once() -> None:
    with running(Roomy(0)) as (url, server), Client(url, limits=Limits(2, 8), retry=Retry(attempts_max=1)) as client:
        with pytest.raises(Overloaded):
            client.embed_passages(TEXTS)
    assert len(server.requests) <= 16  # of 25: one may be repeated while others are on their way


def test_a_call_waits_for_room_until_its_deadline() -> None:
    with running(Roomy(9, range(3, 10_000))) as (url, _):
        with Client(url, timeout_s=0.5, limits=Limits(2, 2), retry=Retry(attempts_max=1)) as client:
            with pytest.raises(DeadlineExceeded, match="tokens are queued"):
                client.embed_passages(TEXTS)


def test_long_texts_go_one_request_after_the_other() -> None:
    script = Counting()
    long = ["a" * 40, "b" * 60, "c" * 50, "d" * 200, "e"]
    with running(script) as (url, server), Client(url, limits=Limits(bytes_per_request=100)) as client:
        assert client.embed_queries(long)[:, 0].tolist() == [40, 60, 50, 200, 1]
    assert len(server.requests) == 4
    assert script.most == 1


def test_what_is_retryable_is_sent_again() -> None:
    with (
        running(lambda texts, number: OVERLOADED if number < 4 else None) as (url, server),
        Client(url, retry=NO_PAUSE) as client,
    ):
        assert client.embed_queries(["abc"]).tolist() == [[3, 97]]
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        (OVERLOADED, Overloaded, 3),
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "full"), Overloaded, 3),
        ((grpc.StatusCode.UNAVAILABLE, "ENCODER_UNAVAILABLE: gone"), Unavailable, 3),
        ((grpc.StatusCode.INVALID_ARGUMENT, 'TEXT_EMPTY: text 0 is empty {"index":0}'), InvalidRequest, 1),
        ((grpc.StatusCode.CANCELLED, "EXPIRED: too late"), DeadlineExceeded, 1),
        ((grpc.StatusCode.INTERNAL, "boom"), ServerFault, 1),
        ((grpc.StatusCode.NOT_FOUND, "no such model"), ServerFault, 1),
    ],
)
def test_faults_have_their_types_and_only_some_are_retried(
    fault: Fault, error: type[RetritonError], requests: int
) -> None:
    retry = Retry(attempts_max=3, delay_first_s=0.001)
    with running(lambda texts, number: fault) as (url, server), Client(url, retry=retry) as client:
        with pytest.raises(error) as caught:
            client.embed_queries(["a"])
    code = fault[1].partition(":")[0]
    assert caught.value.code in ("", code)
    assert caught.value.numbers or not fault[1].endswith("}")
    assert len(server.requests) == requests


def test_text_numbers_are_those_of_the_callers_list() -> None:
    numbers = '{"index":3,"tokens":300,"tokens_max":256}'
    message = f"TEXT_TOO_LONG: text 3 has 300 tokens, the encoder takes at most 256 (...) {numbers}"
    with (
        running(lambda texts, number: (grpc.StatusCode.INVALID_ARGUMENT, message) if b"bad" in texts else None) as (
            url,
            _,
        ),
        Client(url, limits=Limits(texts_per_request=10)) as client,
        pytest.raises(TextTooLong, match="text 23 has 300") as caught,
    ):
        client.embed_passages(["ok"] * 23 + ["bad"] + ["ok"] * 20)
    assert (caught.value.index, caught.value.tokens, caught.value.tokens_max) == (23, 300, 256)


def test_one_deadline_covers_requests_and_retries() -> None:
    start = time.monotonic()
    with running(lambda texts, number: OVERLOADED) as (url, server), Client(url, timeout_s=0.5) as client:
        with pytest.raises(DeadlineExceeded, match="after [0-9]+ attempts"):
            client.embed_queries(["a"])
    assert time.monotonic() - start < 1.5
    assert len(server.requests) > 1


def test_a_server_that_hangs_is_left_at_the_deadline() -> None:
    start = time.monotonic()
    with running(lambda texts, number: 3.0) as (url, _), Client(url, timeout_s=0.3) as client:
        with pytest.raises(DeadlineExceeded):
            client.embed_queries(["a"])
        assert time.monotonic() - start < 1.5


def test_no_server_is_unavailable_and_named() -> None:
    with Client("127.0.0.1:9", retry=Retry(attempts_max=2, delay_first_s=0.01)) as client:
        with pytest.raises(Unavailable, match="127.0.0.1:9"):
            client.embed_queries(["a"])


def test_waiting_for_a_slot_is_part_of_the_deadline() -> None:
    with running(lambda texts, number: 2.0) as (url, _), Client(url, limits=Limits(1, 1)) as client:
        busy = threading.Thread(target=client.embed_queries, args=(["slow"],))
        busy.start()
        time.sleep(0.2)
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="other requests"):
            client.embed(["waits"], "query", timeout_s=0.3)
        assert time.monotonic() - start < 1.0
        busy.join()


@pytest.mark.parametrize("message", ["Stub process 'embed_query_0_0' is not healthy.", "'x' has no available versions"])
def test_a_broken_or_stopping_triton_is_unavailable_whatever_its_status(message: str) -> None:
    with running(lambda texts, number: (grpc.StatusCode.INTERNAL, message)) as (url, _):
        with Client(url, retry=Retry(attempts_max=1)) as client, pytest.raises(Unavailable):
            client.embed_queries(["a"])
