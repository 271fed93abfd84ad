"""Coalescing of small embedding requests: each gets what it would get alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from retriton_client import (
    AsyncClient,
    DeadlineExceeded,
    Embeddings,
    Retry,
    Role,
    ServerFault,
    TextTooLong,
    Truncate,
    Unavailable,
)
from retriton_pipeline.coalescing import CoalescingEmbedder, EmbeddingKey

QUERY = EmbeddingKey("query", "NONE", None)
TEXTS = [f"question {number} of many" for number in range(40)]
CHARACTERS_MAX = 100


def vector(text: str, dimensions: int | None) -> list[float]:
    return [float(len(text)), *map(float, text.encode()[:7].ljust(7))][: dimensions or 8]


class RecordingEmbedder:
    """Vectors made of the texts themselves, after a turn of the event loop; records its calls.

    Attributes:
        calls: the texts of each call.
        cancelled: set when a call is cancelled.
        open: calls wait until it is set.
    """

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.called, self.cancelled, self.open = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.open.set()

    async def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        truncate: Truncate = "NONE",
        dimensions: int | None = None,
        fingerprint: str | None = None,
        caller: str | None = None,
    ) -> Embeddings:
        self.calls.append(list(texts))
        self.called.set()
        try:
            await self.open.wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if "no vector" in texts:
            raise ServerFault(f"the vector of text {texts.index('no vector')} is not finite")
        for index, text in enumerate(texts):
            if len(text) > CHARACTERS_MAX and truncate == "NONE":
                raise TextTooLong("text too long", index, len(text), CHARACTERS_MAX)
        vectors = np.array([vector(text, dimensions) for text in texts], np.float32)
        return Embeddings(vectors, np.ones(len(texts), np.int32), np.zeros(len(texts), np.int32))


@pytest.fixture
async def client() -> RecordingEmbedder:
    return RecordingEmbedder()


async def test_concurrent_requests_share_calls_and_get_their_own_vectors(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    found = await asyncio.gather(*(embedder.embed([text], QUERY) for text in TEXTS))
    assert len(client.calls) <= 3
    for text, one in zip(TEXTS, found, strict=True):
        np.testing.assert_array_equal(one.vectors, [vector(text, None)])
        assert one.tokens.shape == (1,)


async def test_requests_that_arrive_during_a_call_share_the_next_one(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    client.open.clear()
    first = [asyncio.ensure_future(embedder.embed([text], QUERY)) for text in ("one", "two")]
    await client.called.wait()
    later = [asyncio.ensure_future(embedder.embed([text], QUERY)) for text in TEXTS]
    client.open.set()
    await asyncio.gather(*first, *later)
    assert len(client.calls) <= 3
    assert [text for call in client.calls for text in call] == ["one", "two", *TEXTS]


async def test_large_requests_are_sent_alone(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    await asyncio.gather(embedder.embed(TEXTS, QUERY), embedder.embed(["small"], QUERY))
    assert sorted(map(len, client.calls)) == [1, len(TEXTS)]


async def test_only_the_request_with_a_rejected_text_fails(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    requests = [["good"], ["fine", "word " * 1000], ["also good"]]
    found = await asyncio.gather(*(embedder.embed(one, QUERY) for one in requests), return_exceptions=True)
    assert isinstance(found[1], TextTooLong)
    assert (found[1].index, found[1].tokens_max) == (1, CHARACTERS_MAX)  # the index in its own request
    assert found[0].vectors.shape == found[2].vectors.shape == (1, 8)  # type: ignore[union-attr]


async def test_a_text_whose_vector_is_bad_fails_its_own_request(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    requests = [["good"], ["fine", "no vector"], ["also good"]]
    found = await asyncio.gather(*(embedder.embed(one, QUERY) for one in requests), return_exceptions=True)
    assert isinstance(found[1], ServerFault)
    assert "text 1" in str(found[1])
    assert found[0].vectors.shape == found[2].vectors.shape == (1, 8)  # type: ignore[union-attr]


async def test_requests_with_different_keys_do_not_share_calls(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    keys = [
        QUERY,
        EmbeddingKey("passage", "NONE", None),
        EmbeddingKey("query", "NONE", 3),
        EmbeddingKey("query", "END", None),
    ]
    found = await asyncio.gather(*(embedder.embed(["text"], key) for key in keys))
    assert len(client.calls) == 4
    assert [one.vectors.shape[1] for one in found] == [8, 8, 3, 8]


async def test_requests_that_are_cancelled_before_the_call_are_not_sent(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    cancelled = [asyncio.ensure_future(embedder.embed([text], QUERY)) for text in TEXTS]
    await asyncio.sleep(0)  # they are queued, and no call is sent yet
    for task in cancelled:
        task.cancel()
    await embedder.embed(["kept"], QUERY)
    assert client.calls == [["kept"]]


async def test_a_call_is_cancelled_with_the_last_of_its_requests(client: RecordingEmbedder) -> None:
    embedder = CoalescingEmbedder(client)
    client.open.clear()
    tasks = [asyncio.ensure_future(embedder.embed([text], QUERY)) for text in ("one", "two")]
    await client.called.wait()
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    assert not client.cancelled.is_set()
    tasks[1].cancel()
    await asyncio.wait_for(client.cancelled.wait(), 1)


async def test_a_failure_reaches_all_requests_of_the_call() -> None:
    async with AsyncClient("127.0.0.1:9", retry=Retry(attempts_max=1), timeout_s=2) as nowhere:
        embedder = CoalescingEmbedder(nowhere)
        found = await asyncio.gather(*(embedder.embed([text], QUERY) for text in TEXTS), return_exceptions=True)
    assert {type(one) for one in found} <= {Unavailable, DeadlineExceeded}
    assert len(found) == len(TEXTS)
