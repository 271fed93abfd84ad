from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from retriton_client import Client, Limits, ServerFault
from retriton_serving.contract.models import RERANK
from tests.client.scripted_server import ScriptedServer, response, running

Rows = NDArray[np.float32]
TEXTS = [str(number) for number in range(10)]


def embedding(vectors: Rows) -> dict[str, NDArray[np.generic]]:
    counts = np.zeros((len(vectors), 1), np.int32)
    return {"embedding": vectors, "tokens": counts, "tokens_dropped": counts}


def unit_vectors(texts: list[bytes]) -> Rows:
    """Of three values; the text is the place of the one."""
    return np.eye(3, dtype=np.float32)[[int(text) % 3 for text in texts]]


def spoils(text: bytes, vector: list[float]) -> Callable[[ScriptedServer], None]:
    """Makes ``vector`` that of ``text``."""

    def reply(model: str, texts: list[bytes]) -> object:
        vectors = unit_vectors(texts)
        vectors[[place for place, other in enumerate(texts) if other == text]] = vector
        if model == RERANK:
            counts = np.zeros(len(texts), np.int32)
            return response({"score": vectors.sum(axis=1), "tokens": counts, "tokens_dropped": counts})
        return response(embedding(vectors))

    def install(server: ScriptedServer) -> None:
        server.normalized = True
        server.reply = reply

    return install


def embeds(install: Callable[[ScriptedServer], None], normalized: bool = True) -> Rows:
    with running(lambda texts, number: None) as (url, server), Client(url, limits=Limits(4)) as client:
        install(server)
        server.normalized = normalized
        first = client.embed_passages(TEXTS)
        np.testing.assert_array_equal(client.embed_queries(TEXTS), first)
        return first


def test_vectors_of_length_one_pass_whatever_the_rounding_of_their_engine() -> None:
    assert embeds(spoils(b"none", [1.0, 0.0, 0.0])).shape == (10, 3)
    assert embeds(spoils(b"6", [0.6, 0.802, 0.0])).shape == (10, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("normalized", [True, False])
def test_the_index_of_a_vector_that_is_not_finite_is_named(value: float, normalized: bool) -> None:
    with pytest.raises(ServerFault, match="result of text 6 is not finite") as caught:
        embeds(spoils(b"6", [value, 0.0, 0.0]), normalized)
    assert caught.value.numbers == {"index": 6}


@pytest.mark.parametrize(
    ("vector", "length"), [([0.0, 0.0, 0.0], "0"), ([0.6, 0.6, 0.6], "1.039"), ([3e30, 0, 0], "3e+30")]
)
def test_the_index_of_a_vector_of_another_length_is_named(vector: list[float], length: str) -> None:
    with pytest.raises(ServerFault, match=f"vector of text 6 has length {length.replace('+', '[+]')}, not 1") as caught:
        embeds(spoils(b"6", vector))
    assert caught.value.numbers == {"index": 6}


def test_vectors_of_an_encoder_that_does_not_normalise_have_any_length() -> None:
    assert embeds(spoils(b"6", [3.0, 4.0, 0.0]), normalized=False)[6].tolist() == [3, 4, 0]


def test_the_index_of_a_score_that_is_not_finite_is_named() -> None:
    with running(lambda texts, number: None) as (url, server), Client(url, limits=Limits(4)) as client:
        spoils(b"6", [float("nan"), 0, 0])(server)
        with pytest.raises(ServerFault, match="result of text 6 is not finite"):
            client.rerank("query", TEXTS)


WRONG: dict[str, Callable[[list[bytes]], dict[str, NDArray[np.generic]]]] = {
    "too few vectors": lambda texts: embedding(unit_vectors(texts[1:])),
    "too many vectors": lambda texts: embedding(unit_vectors([*texts, b"1"])),
    "numbers of one axis": lambda texts: embedding(unit_vectors(texts)[:, 0]),
    "vectors without values": lambda texts: embedding(np.zeros((len(texts), 0), np.float32)),
    "float64": lambda texts: embedding(unit_vectors(texts).astype(np.float64)),  # type: ignore[arg-type]
    "too few counts": lambda texts: embedding(unit_vectors(texts)) | {"tokens": np.zeros((1, 1), np.int32)},
    "counts of another type": lambda texts: embedding(unit_vectors(texts)) | {"tokens": unit_vectors(texts)[:, :1]},
    "an output is missing": lambda texts: {"embedding": unit_vectors(texts)},
    "another dimension": lambda texts: embedding(np.eye(len(texts), dtype=np.float32)),
}


@pytest.mark.parametrize("columns", WRONG.values(), ids=WRONG)
def test_a_reply_of_another_shape_is_a_fault_of_the_server(
    columns: Callable[[list[bytes]], dict[str, NDArray[np.generic]]],
) -> None:
    with running(lambda texts, number: None) as (url, server), Client(url, limits=Limits(4)) as client:
        server.reply = lambda model, texts: response(columns(texts))
        with pytest.raises(ServerFault):
            client.embed_passages(TEXTS)


def test_a_reply_that_is_cut_off_is_a_fault_of_the_server() -> None:
    def reply(model: str, texts: list[bytes]) -> object:
        whole = response(embedding(unit_vectors(texts)))
        whole.raw_output_contents[0] = whole.raw_output_contents[0][:-4]
        return whole

    with running(lambda texts, number: None) as (url, server), Client(url) as client:
        server.reply = reply
        with pytest.raises(ServerFault, match="cannot read the outputs"):
            client.embed_passages(TEXTS)


def test_a_server_that_does_not_tell_of_its_devices_is_healthy() -> None:
    with running(lambda texts, number: None) as (url, server), Client(url) as client:
        assert client.device_problems() == ""
        server.knows_devices = False
        assert client.device_problems() == ""
        assert set(client.check_health(rerank=False)) == {"embed_query", "embed_passage"}
