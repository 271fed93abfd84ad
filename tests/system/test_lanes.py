"""The lanes against the checkpoint itself, as any KServe v2 client sees them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import tritonclient.grpc
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tritonclient.utils import InferenceServerException

from retriton_client import AsyncClient, Client, EncoderInfo, InvalidRequest, Limits, Role, TextTooLong, WrongEncoder
from retriton_export import Checkpoint, Recipe

pytestmark = pytest.mark.triton
WORDS = "the retrieval of passages by vectors needs an encoder that maps text to points close to each other".split()


def texts(count: int, words_max: int = 150, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, words_max))) for _ in range(count)]


@pytest.fixture(scope="module")
def reference() -> SentenceTransformer:
    """The checkpoint in sentence-transformers: code that shares nothing with ours."""
    return SentenceTransformer(str(Checkpoint.read().folder), device="cpu")


@pytest.fixture
def plain(url: str) -> Iterator[tritonclient.grpc.InferenceServerClient]:
    with tritonclient.grpc.InferenceServerClient(url) as connected:
        yield connected


def embed_plainly(
    plain: tritonclient.grpc.InferenceServerClient, raw: list[bytes], lane: str = "embed_query", **parameters: str
) -> NDArray[np.float32]:
    column = np.array([[text] for text in raw], np.object_)
    text_input = tritonclient.grpc.InferInput("text", column.shape, "BYTES")
    text_input.set_data_from_numpy(column)
    return plain.infer(lane, [text_input], parameters=parameters).as_numpy("embedding")


@pytest.mark.parametrize("role", ["query", "passage"])
def test_vectors_are_those_of_the_checkpoint(client: Client, reference: SentenceTransformer, role: Role) -> None:
    batch = texts(100)
    served = client.embed(batch, role)
    with torch.inference_mode():
        expected = reference.encode(batch, normalize_embeddings=True)
    assert served.vectors.dtype == np.float32
    assert served.vectors.shape == (100, 384)
    assert (served.vectors * expected).sum(1).min() > (0.99999 if client.encoder_info().precision == "fp32" else 0.9999)
    assert served.tokens.tolist() == [len(ids) for ids in reference.tokenizer(batch, padding=False)["input_ids"]]


def test_known_values(client: Client) -> None:
    """The first values that sentence-transformers gives for this sentence with all-MiniLM-L6-v2."""
    (vector,) = client.embed_queries(["This is an example sentence"])
    atol = 2e-6 if client.encoder_info().precision == "fp32" else 2e-3
    np.testing.assert_allclose(vector[:3], [0.0676569, 0.0634959, 0.0487131], atol=atol)


def test_company_does_not_matter(client: Client) -> None:
    batch = texts(64, seed=1)
    together = client.embed_passages(batch)
    alone = np.concatenate([client.embed_passages([text]) for text in batch])
    assert (together * alone).sum(1).min() > 0.9999


async def test_many_callers_at_once_get_their_own_vectors(url: str, client: Client) -> None:
    batch = [f"number {n}: {text}" for n, text in enumerate(texts(200, words_max=60, seed=2))]
    expected = client.embed_queries(batch)
    async with AsyncClient(url, limits=Limits(requests_in_flight=64)) as many:
        found = await asyncio.gather(*(many.embed_queries([text]) for text in batch))
    nearest = (np.concatenate(found) @ expected.T).argmax(1)
    assert nearest.tolist() == list(range(200))
    assert (np.concatenate(found) * expected).sum(1).min() > 0.9999


def test_one_bad_text_fails_one_request(plain: tritonclient.grpc.InferenceServerClient) -> None:
    good = embed_plainly(plain, [b"good"])
    for bad in (b"\xff\xfe", b"", b"word " * 1000):
        with pytest.raises(InferenceServerException, match="text 1"):
            embed_plainly(plain, [b"good", bad])
    np.testing.assert_allclose(embed_plainly(plain, [b"good"]), good, atol=1e-3)


async def test_bad_requests_do_not_touch_their_neighbours(url: str) -> None:
    async with AsyncClient(url, limits=Limits(requests_in_flight=64)) as many:
        outcomes = await asyncio.gather(
            *(many.embed_queries(["" if n % 3 == 0 else f"text {n}"]) for n in range(60)), return_exceptions=True
        )
    assert [isinstance(outcome, InvalidRequest) for outcome in outcomes] == [n % 3 == 0 for n in range(60)]


def test_a_hundred_thousand_words(client: Client) -> None:
    monster = " ".join(f"start{n}" if n < 3 else "word" for n in range(99_998)) + " very end"
    with pytest.raises(TextTooLong) as refused:
        client.embed_passages(["fine", monster])
    assert refused.value.index == 1
    assert refused.value.tokens > 100_000
    assert refused.value.tokens_max == 256
    for truncate, kept in (("START", " ".join(["word"] * 252) + " very end"), ("END", monster[:3000])):
        cut = client.embed([monster], "passage", truncate=truncate)
        assert cut.tokens.tolist() == [256]
        assert cut.tokens.tolist()[0] + cut.tokens_dropped.tolist()[0] == refused.value.tokens
        np.testing.assert_allclose(cut.vectors, client.embed_passages([kept], truncate=truncate), atol=1e-3)


def test_an_unknown_truncation_is_refused(plain: tritonclient.grpc.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="NONE, START or END"):
        embed_plainly(plain, [b"a"], truncate="MIDDLE")


def test_fewer_dimensions_are_the_first_ones_at_length_one(client: Client) -> None:
    whole = client.embed_passages(["a text", "another"])
    cut = client.embed(["a text", "another"], "passage", dimensions=64).vectors
    first = whole[:, :64] / np.linalg.norm(whole[:, :64], axis=1, keepdims=True)
    np.testing.assert_allclose(cut, first, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(cut, axis=1), 1.0, atol=1e-5)
    for wrong in (0, 385):
        with pytest.raises(InvalidRequest, match=f"dimensions is {wrong}, it can be 1 to 384"):
            client.embed(["a text"], "query", dimensions=wrong)


def test_the_info_is_that_of_the_export(encoder: EncoderInfo) -> None:
    checkpoint = Checkpoint.read()
    assert encoder.fingerprint == checkpoint.fingerprint(checkpoint.file_sums())
    assert (encoder.name, encoder.dimension, encoder.max_tokens) == ("all-MiniLM-L6-v2", 384, 256)
    assert encoder.precision == Recipe.choose().precision
    assert '"[CLS]"' in encoder.tokenizer


def test_a_request_of_too_much_text_is_refused_and_a_client_splits_it(
    client: Client, plain: tritonclient.grpc.InferenceServerClient
) -> None:
    huge = ["word " * 150_000] * 3  # each is allowed by itself
    with pytest.raises(InferenceServerException, match="TEXT_TOO_LARGE: the texts of the request have 2250000 bytes"):
        embed_plainly(plain, [text.encode() for text in huge], truncate="END")
    assert client.embed(huge, "query", truncate="END").tokens.tolist() == [256] * 3
    assert client.check_health(3.0)


def test_large_texts_are_refused_before_they_are_decoded(plain: tritonclient.grpc.InferenceServerClient) -> None:
    large = [b"\xff" * 750_000] * 3
    with pytest.raises(InferenceServerException, match="TEXT_TOO_LARGE: the texts of the request have 2250000 bytes"):
        embed_plainly(plain, large)
    with pytest.raises(InferenceServerException, match="TEXT_NOT_UTF8: text 0 is not UTF-8"):
        embed_plainly(plain, large[:1])


def test_a_request_can_name_its_encoder(client: Client) -> None:
    fingerprint = client.encoder_info().fingerprint
    assert client.embed(["a"], "query", fingerprint=fingerprint).vectors.shape == (1, 384)
    with pytest.raises(WrongEncoder, match=f"this server has .*{fingerprint}.*, the request names other"):
        client.embed(["a"], "query", fingerprint="other")
