"""A cross-encoder served beside the encoder: the scores of the checkpoint, in order, whatever the company."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from retriton_client import AsyncClient, Client, InvalidRequest, Limits, NotInstalled, TextTooLong
from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.store import Store
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert, tiny_cross_encoder
from tests.searching import retrieve
from tests.system.test_ingest import ingest_folder

pytestmark = pytest.mark.triton
QUERY = "which one?"
PASSAGES = [f"{chr(97 + n)} {n} " * (1 + n % 7) for n in range(90)]
FP32 = Recipe("openvino", "fp32")


@pytest.fixture(scope="module", params=["bert", "distilbert"])  # with token types, and without
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_cross_encoder(tmp_path_factory.mktemp("checkpoints") / "tiny-cross-encoder", request.param)


@pytest.fixture(scope="module")
def reranking(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a tiny encoder and a tiny cross-encoder."""
    folder = tmp_path_factory.mktemp("reranking")
    repository = copy_repository(folder / "model_repository")
    export_encoder(Checkpoint.read(str(tiny_bert(folder / "tiny"))), repository, FP32)
    export_encoder(Checkpoint.read(str(checkpoint)), repository, FP32)
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        yield server.endpoint.grpc_url


def expected(checkpoint: Path, pairs: list[tuple[str, str]]) -> np.ndarray:
    """The scores of `transformers`: code that shares nothing with ours."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    with torch.inference_mode():
        logits = [model(**tokenizer(*pair, return_tensors="pt")).logits[0, 0] for pair in pairs]
    return torch.sigmoid(torch.stack(logits)).numpy()


def test_scores_are_those_of_the_checkpoint_in_order(reranking: str, checkpoint: Path) -> None:
    with Client(reranking) as client:
        found = client.rerank(QUERY, PASSAGES)
    assert found.scores.dtype == np.float32
    np.testing.assert_allclose(found.scores, expected(checkpoint, [(QUERY, text) for text in PASSAGES]), atol=1e-5)
    assert found.tokens_dropped.tolist() == [0] * 90
    assert len(set(found.scores.round(6).tolist())) > 80  # they do depend on the passage


async def test_many_queries_at_once_get_their_own_scores(reranking: str, checkpoint: Path) -> None:
    queries = [f"{chr(97 + n)}?" for n in range(20)]
    async with AsyncClient(reranking, limits=Limits(texts_per_request=4, requests_in_flight=64)) as client:
        found = await asyncio.gather(*(client.rerank(query, PASSAGES[:10]) for query in queries))
    for query, result in zip(queries, found, strict=True):
        wanted = expected(checkpoint, [(query, text) for text in PASSAGES[:10]])
        np.testing.assert_allclose(result.scores, wanted, atol=1e-5)


def test_too_long_pairs_are_refused_or_cut_at_the_passage(reranking: str, checkpoint: Path) -> None:
    with Client(reranking) as client:
        with pytest.raises(TextTooLong) as refused:
            client.rerank("q", ["fine", "x " * 60])
        assert (refused.value.index, refused.value.tokens, refused.value.tokens_max) == (1, 64, 48)
        cut = client.rerank("q", ["fine", "x " * 60], truncate="END")
        assert cut.tokens.tolist()[1] == 48
        assert cut.tokens_dropped.tolist() == [0, 16]
        np.testing.assert_allclose(cut.scores[1:], expected(checkpoint, [("q", "x " * 44)]), atol=1e-5)
        with pytest.raises(InvalidRequest, match="the query has 60 tokens") as too_long:
            client.rerank("q " * 60, ["x"], truncate="END")
        assert too_long.value.code == "QUERY_TOO_LONG"
        with pytest.raises(InvalidRequest, match="text 1 is empty"):
            client.rerank("q", ["x", " "])
        assert set(client.check_health()) == {"embed_query", "embed_passage", "rerank"}


def test_without_a_cross_encoder_the_rest_is_served(url: str) -> None:
    with Client(url) as client:
        with pytest.raises(NotInstalled, match="no cross_encoder is installed: run `retriton export`"):
            client.rerank(QUERY, PASSAGES)
        assert set(client.check_health()) == {"embed_query", "embed_passage"}


@pytest.mark.milvus
def test_retrieval_is_ordered_by_the_cross_encoder(reranking: str, checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, text in enumerate([text for text in PASSAGES if len(text) < 20][:12]):
        (folder / f"{number}.txt").write_text(text)
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    asyncio.run(ingest_folder(reranking, store, folder, None, ChunkSize(48, 0)))
    found = retrieve(reranking, store, QUERY, top_k=12, mode="dense", rerank=True)
    store.close()
    assert "rerank" in found.latency_ms
    wanted = expected(checkpoint, [(QUERY, f"{hit.context}\n{hit.text}") for hit in found.passages])
    np.testing.assert_allclose([hit.score for hit in found.passages], wanted, atol=1e-5)
    assert len(found.passages) == 12
    assert [hit.score for hit in found.passages] == sorted((hit.score for hit in found.passages), reverse=True)
