"""What callers without a key may do over gRPC: nothing that takes the service away from the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from retriton_client import AsyncClient, Client, EncoderInfo, Limits, Overloaded, RetritonError, Retry
from retriton_client._connection import Attempts
from retriton_serving.launcher import TritonServer

pytestmark = pytest.mark.triton
ONCE = Retry(attempts_max=1)


@pytest.fixture
def plain(url: str) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(url) as connected:
        yield connected


def encode(plain: InferenceServerClient, ids: NDArray[np.int64], **options: Any) -> NDArray[np.float32]:
    inputs = []
    for name, array in (("input_ids", ids), ("attention_mask", np.ones_like(ids))):
        inputs.append(InferInput(name, array.shape, "INT64"))
        inputs[-1].set_data_from_numpy(array)
    return plain.infer("encoder", inputs, **options).as_numpy("sentence_embedding")


def test_a_small_direct_call_is_computed(plain: InferenceServerClient, client: Client, encoder: EncoderInfo) -> None:
    from tokenizers import Tokenizer

    ids = Tokenizer.from_str(encoder.tokenizer).encode("a lane is a queue").ids
    (vector,) = encode(plain, np.array([[token for token in ids if token]], np.int64))
    assert vector @ client.embed_queries(["a lane is a queue"])[0] > 0.9999


@pytest.mark.parametrize("shape", [(500, 256), (1, 2000), (0, 8)])
def test_a_large_direct_call_is_refused_at_once(plain: InferenceServerClient, shape: tuple[int, int]) -> None:
    start = time.monotonic()
    with pytest.raises(InferenceServerException, match=f"{shape[0]} rows of {shape[1]} tokens|must be non-negative"):
        encode(plain, np.full(shape, 2000, np.int64))
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("wrong", [-1, 10**9, 2**62])
def test_an_id_outside_the_vocabulary_is_named(plain: InferenceServerClient, wrong: int) -> None:
    with pytest.raises(InferenceServerException, match=rf"BAD_PARAMETER: input_ids has {wrong} at row 0, column 1"):
        encode(plain, np.array([[101, wrong, 102]], np.int64))


async def test_direct_calls_wait_in_a_bounded_queue_and_slow_nobody(url: str, plain: InferenceServerClient) -> None:
    """Even those that say that they come from the query lane."""
    ids = np.full((4, 256), 2000, np.int64)
    parameters = {"lane": "embed_query", "secret": "guessed"}
    with ThreadPoolExecutor(40) as callers:
        calls = [callers.submit(encode, plain, ids, parameters=parameters) for _ in range(40)]
        async with AsyncClient(url) as client:
            for number in range(4):
                assert (await client.embed_queries([f"question {number}"])).shape == (1, 384)
        errors = [error for call in calls if (error := await asyncio.to_thread(call.exception, 60))]
    assert 0 < len(errors) < 40
    assert all("direct calls are queued already, at most 8" in str(error) for error in errors)


async def test_probes_of_strangers_are_admitted_as_all_other_work(url: str, server: TritonServer) -> None:
    """800 of them would otherwise keep three times more waiting than the lane's bound."""
    waiting_max = 16384  # of the query lane's configuration

    async def probe(client: AsyncClient, number: int) -> float | None:
        text = f"{number} " + "token " * 250
        try:
            sent = client._connection.send(
                "embed_query", [_column(text)], ("tokens",), {"probe": True}, _in(60), Attempts()
            )
            result = await sent
        except Overloaded as error:
            assert "tokens are queued already" in str(error), error
            return None
        return float(result[0][0, 0])

    async with AsyncClient(url, limits=Limits(requests_in_flight=1000), retry=ONCE, timeout_s=60) as client:
        flood = [asyncio.ensure_future(probe(client, number)) for number in range(800)]
        await asyncio.sleep(0)
        took = await client.check_health(10.0, secret=server.secret)  # as the supervisor probes
        tokens = [found for found in await asyncio.gather(*flood) if found]
        assert set(took) == {"embed_query", "embed_passage"}
    assert len(tokens) < 800  # some were refused
    assert sum(tokens) >= waiting_max / 2


@pytest.mark.parametrize("text", ["é" * 500_000, "." * 1_000_000, ("a" * 99 + " ") * 10_000, " " * 1_000_000 + "x"])
async def test_texts_that_are_slow_to_tokenize_do_not_hold_up_others(url: str, text: str) -> None:
    async with AsyncClient(url, retry=ONCE, timeout_s=60) as slow, AsyncClient(url, timeout_s=60) as client:
        start = time.monotonic()
        long = [asyncio.ensure_future(slow.embed([text], "query", truncate="END")) for _ in range(2)]
        await asyncio.sleep(0.05)
        waits = []
        while not all(task.done() for task in long):
            begun = time.monotonic()
            await client.embed_queries(["a short question"])
            waits.append(time.monotonic() - begun)
        took = time.monotonic() - start
        assert all(isinstance(found, RetritonError) or found.tokens[0] <= 256 for found in await asyncio.gather(*long))
    assert not waits or max(waits) < max(1.0, took / 2), (took, waits)


async def test_too_many_long_texts_are_refused(url: str) -> None:
    async with AsyncClient(url, limits=Limits(requests_in_flight=64), retry=ONCE, timeout_s=120) as client:
        outcomes = await asyncio.gather(
            *(client.embed(["é" * 500_000], "passage", truncate="END") for _ in range(12)), return_exceptions=True
        )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    assert refused
    assert "bytes of long texts are queued already" in str(refused[0])


def test_a_message_larger_than_the_shared_memory_fails_alone(
    plain: InferenceServerClient, client: Client, server: TritonServer
) -> None:
    with pytest.raises(InferenceServerException, match="shared memory|File too large"):
        plain.infer("embed_query", [_column("a" * 280 * 2**20)], client_timeout=30)
    assert client.embed_queries(["and the next one"]).shape == (1, 384)
    assert client.check_health(5.0)
    regions = Path("/dev/shm").glob(f"{server._scratch.region_prefix}*")
    assert sum(region.stat().st_size for region in regions) < 600 * 2**20


def test_parameters_of_any_size_are_answered_in_short(plain: InferenceServerClient) -> None:
    for parameters in ({"truncate": "x" * 1_000_000}, {"fingerprint": "x" * 1_000_000}, {"dimensions": "9" * 100_000}):
        with pytest.raises(InferenceServerException) as refused:
            plain.infer("embed_query", [_column("text")], parameters=parameters)
        assert len(str(refused.value)) < 500


def _column(text: str) -> InferInput:
    column = InferInput("text", [1, 1], "BYTES")
    column.set_data_from_numpy(np.array([[text.encode()]], np.object_))
    return column


def _in(seconds: float) -> float:
    return time.monotonic() + seconds
