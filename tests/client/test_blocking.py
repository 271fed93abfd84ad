from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from retriton_client import Client, DeadlineExceeded, InvalidRequest, Unavailable, blocking
from tests.client.scripted_server import running

CALLS: list[Callable[[Client], object]] = [
    lambda client: client.embed_queries(["a"]),
    lambda client: client.embed_passages(["a"]),
    lambda client: client.embed(["a"], "query"),
    lambda client: client.rerank("a", ["b"]),
    lambda client: client.encoder_info(),
    lambda client: client.reranker_info(),
    lambda client: client.check_health(0.2),
    lambda client: client.close(),
]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client with a timeout of 0.2 s, and a background thread of its own."""
    monkeypatch.setattr(blocking, "_background", blocking._Background())
    with running(lambda texts, number: None) as (url, _), Client(url, timeout_s=0.2) as client:
        yield client


async def loop_blocked_for(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251 - this is the fault


async def thread_ends() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(60)


def test_no_call_waits_longer_for_a_blocked_loop_than_its_timeout_and_a_second(quick: Client) -> None:
    def waits(call: Callable[[Client], object]) -> None:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="background thread"):
            call(quick)
        took.append(time.monotonic() - start)

    took: list[float] = []
    asyncio.run_coroutine_threadsafe(loop_blocked_for(2.0), blocking._background.loop())
    threads = [threading.Thread(target=waits, args=(call,)) for call in CALLS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == len(CALLS)
    assert max(took) < 0.2 + blocking.MARGIN_S + 0.4


def test_a_background_thread_that_ended_is_started_again(quick: Client) -> None:
    before = quick.embed_queries(["a"])
    with pytest.raises(DeadlineExceeded, match="background thread"):
        blocking.run(thread_ends(), 0.1)
    assert quick.embed_queries(["a"]).tolist() == before.tolist()


def test_a_callback_on_the_background_thread_is_refused_instead_of_waiting_for_itself(quick: Client) -> None:
    async def callback() -> None:
        quick.embed_queries(["a"])

    with pytest.raises(InvalidRequest, match="another thread"):
        blocking.run(callback(), 5.0)


def test_an_iterator_may_use_the_client(quick: Client) -> None:
    texts = ("a" * int(quick.embed_queries(["abc"])[0, 0]) for _ in range(2))
    assert quick.embed_queries(texts)[:, 0].tolist() == [3, 3]


def test_a_timeout_of_the_work_is_its_own() -> None:
    async def work() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        blocking.run(work(), 5.0)


def test_closing_a_client_ends_calls_of_other_threads_with_an_error() -> None:
    with running(lambda texts, number: 1.0) as (url, server), ThreadPoolExecutor() as threads:
        client = Client(url)
        call = threads.submit(client.embed_queries, ["a"])
        while not server.requests:
            time.sleep(0.01)
        client.close()
        assert isinstance(call.exception(), Unavailable)
