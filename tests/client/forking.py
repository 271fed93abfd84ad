"""A program that forks, or spawns, around the use of clients: ``python -m tests.client.forking SCENARIO URL``."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable

from retriton_client import AsyncClient, Client, ForkedProcess

HANGS_AFTER_S = 10


def embed(client: Client) -> None:
    """Fails unless the client works."""
    assert client.embed_queries(["abc"]).tolist() == [[3, 97]]


def is_refused(call: Callable[[], object]) -> None:
    """Fails unless the call ends in `ForkedProcess` at once."""
    start = time.monotonic()
    try:
        call()
    except ForkedProcess:
        assert time.monotonic() - start < 1.0
    else:
        raise AssertionError("not refused")


def in_child(work: Callable[[], None]) -> None:
    """Runs ``work`` in a child, which then ends like a program; fails unless it succeeds."""
    child = os.fork()
    if not child:
        signal.alarm(HANGS_AFTER_S)
        work()
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0


def used(url: str) -> None:
    """Refused in the child: the used client, a new one, one of an event loop. The parent goes on."""
    with Client(url) as client:
        embed(client)

        def child() -> None:
            with client:
                is_refused(lambda: client.embed_queries(["abc"]))
            is_refused(lambda: Client(url).rerank("a", ["b"]))
            is_refused(Client(url).encoder_info)
            is_refused(lambda: asyncio.run(AsyncClient(url).embed_queries(["abc"])))
            in_child(lambda: is_refused(lambda: Client(url).embed_queries(["abc"])))

        in_child(child)
        embed(client)


def used_by_asyncio(url: str) -> None:
    """The same after an `AsyncClient`, within its event loop."""

    async def parent() -> None:
        async with AsyncClient(url) as client:
            await client.embed_queries(["abc"])
            in_child(lambda: is_refused(lambda: Client(url).embed_queries(["abc"])))
            await client.embed_queries(["abc"])

    asyncio.run(parent())


def unused(url: str) -> None:
    """A client that was only made, or never opened a connection, works in the child."""
    client = Client(url)
    client.close()
    in_child(lambda: embed(client))
    in_child(lambda: embed(Client(url)))


def closed(url: str) -> None:
    """Refused after a client was closed, too: new ones work most of the time, and hang otherwise."""
    with Client(url) as client:
        embed(client)
    in_child(lambda: is_refused(lambda: client.embed_queries(["abc"])))
    in_child(lambda: is_refused(lambda: Client(url).embed_queries(["abc"])))


def forked_pool(url: str) -> None:
    """As DataLoader and gunicorn start their workers."""
    with Client(url) as client:
        embed(client)
        worker = multiprocessing.get_context("fork").Process(target=is_refused, args=(client.encoder_info,))
        worker.start()
        worker.join(HANGS_AFTER_S)
        assert worker.exitcode == 0


def spawned_pool(url: str) -> None:
    """A used client can be an argument of a spawned process."""
    with Client(url) as client:
        embed(client)
        worker = multiprocessing.get_context("spawn").Process(target=embed, args=(client,))
        worker.start()
        worker.join(3 * HANGS_AFTER_S)
        assert worker.exitcode == 0


SCENARIOS = (used, used_by_asyncio, unused, closed, forked_pool, spawned_pool)

if __name__ == "__main__":
    {scenario.__name__: scenario for scenario in SCENARIOS}[sys.argv[1]](sys.argv[2])
