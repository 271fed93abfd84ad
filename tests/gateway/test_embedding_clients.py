"""Existing clients that embed: packages of Cohere, Voyage, Elasticsearch, Hugging Face; requests of Jina and TEI."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from retriton_client import Client, Embeddings
from retriton_pipeline.gateway.services.vectors import quantized
from tests.gateway.clients.environment import SCRIPTS, run_client
from tests.gateway.conftest import Gateway, error

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
QUESTION = "which?"
TEXTS = [f"{chr(97 + n)} {n} " * (1 + n % 5) for n in range(9)]
TYPES = ("int8", "uint8", "binary", "ubinary")


@pytest.fixture(scope="module")
def query(tiny_url: str) -> Embeddings:
    with Client(tiny_url) as client:
        return client.embed([QUESTION], "query")


@pytest.fixture(scope="module")
def documents(tiny_url: str) -> Embeddings:
    with Client(tiny_url) as client:
        return client.embed(TEXTS, "passage")


def run_script(name: str, gateway: Gateway, *arguments: str, folder: Path) -> dict[str, Any]:
    command = ("python", str(SCRIPTS / name), gateway.url, gateway.key, *arguments, QUESTION, *TEXTS)
    found: dict[str, Any] = json.loads(run_client(*command, folder=folder, HF_HUB_OFFLINE="0").splitlines()[-1])
    return found


def close(found: Any, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(found, np.float32), wanted, atol=1e-6)


def check_types(found: dict[str, Any], documents: Embeddings) -> None:
    close(found["float"], documents.vectors)
    for kind in TYPES:
        np.testing.assert_array_equal(found[kind], quantized(documents.vectors, kind))  # type: ignore[arg-type]


def test_cohere_embeds_in_both_versions_and_ranks(
    tiny: Gateway, tiny_url: str, query: Embeddings, documents: Embeddings, tmp_path: Path
) -> None:
    found = run_script("cohere_sdk.py", tiny, "tiny", "tiny-cross-encoder", folder=tmp_path)
    check_types(found["documents"], documents)
    close([np.frombuffer(base64.b64decode(text), "<f4") for text in found["documents"]["base64"]], documents.vectors)
    assert (found["texts"], found["tokens"]) == (TEXTS, documents.tokens.sum())
    close(found["query"], query.vectors[0])
    assert (len(found["short"]), "at most 64" in found["refused"]) == (8, True)
    close(found["one"], documents.vectors)
    close(found["one_float"], documents.vectors)
    assert found["one_int8"] == found["documents"]["int8"]
    with Client(tiny_url) as client:
        scores = client.rerank(QUESTION, TEXTS).scores
    for ranked in found["ranked"]:
        assert [index for index, _ in ranked] == np.argsort(-scores, kind="stable")[:3].tolist()
        close([score for _, score in ranked], np.sort(scores)[::-1][:3])


def test_elasticsearch_embeds_and_ranks(
    tiny: Gateway, tiny_url: str, query: Embeddings, documents: Embeddings, tmp_path: Path
) -> None:
    found = run_script("elasticsearch_sdk.py", tiny, "tiny", "tiny-cross-encoder", folder=tmp_path)
    close(found["documents"], documents.vectors)
    close(found["settings"], documents.vectors)
    close(found["query"], query.vectors[0])
    close(found["generic"]["text_embedding"][0]["embedding"], query.vectors[0])
    assert found["without_task"] == found["generic"]
    assert found["ranked_without_task"] == found["ranked"]
    with Client(tiny_url) as client:
        scores = client.rerank(QUESTION, TEXTS).scores
    best = np.argsort(-scores, kind="stable").tolist()
    assert [set(item) for item in found["ranked"]] == [{"index", "relevance_score"}] * len(TEXTS)
    assert [item["index"] for item in found["ranked"]] == best
    close([item["relevance_score"] for item in found["ranked"]], scores[best])
    assert [(item["index"], item["text"]) for item in found["best"]] == [(index, TEXTS[index]) for index in best[:2]]
    assert found["best_by_settings"] == found["best"]
    assert "tiny embeds queries and passages differently: send input_type" in found["untold"]
    assert "there is no model 'gpt' here" in found["unknown"]


def test_voyage_embeds_in_all_types_and_ranks(
    tiny: Gateway, tiny_url: str, query: Embeddings, documents: Embeddings, tmp_path: Path
) -> None:
    found = run_script("voyage_sdk.py", tiny, "tiny", "tiny-cross-encoder", folder=tmp_path)
    check_types(found["documents"], documents)
    assert found["tokens"] == documents.tokens.sum()
    close(found["query"], query.vectors[0])
    assert found["query_async"] == found["query"]
    assert (len(found["short"]), "at most 64" in found["refused"]) == (8, True)
    assert "valid API key" in found["denied"]
    with Client(tiny_url) as client:
        scores = client.rerank(QUESTION, TEXTS).scores
    best = np.argsort(-scores, kind="stable").tolist()
    assert [index for index, _, _ in found["ranked_async"]] == best
    assert found["ranked"] == found["ranked_async"][:3]
    assert [text for _, _, text in found["ranked"]] == [TEXTS[index] for index in best[:3]]
    close([score for _, score, _ in found["ranked"]], scores[best[:3]])


def test_voyage_s_rankings_have_documents_on_request(tiny: Gateway) -> None:
    body = {"query": QUESTION, "documents": TEXTS, "top_k": None, "return_documents": True}
    long = {"query": QUESTION, "documents": ["x " * 100], "truncation": False}
    with tiny.client() as http:
        found, refused = (http.post("/v1/rerank", json=given) for given in (body, long))
    assert (found.json()["object"], len(found.json()["data"])) == ("list", len(TEXTS))
    assert [item["document"] for item in found.json()["data"]] == [
        TEXTS[item["index"]] for item in found.json()["data"]
    ]
    assert (refused.status_code, error(refused)["code"]) == (400, "text_too_long")
    assert refused.json()["detail"] == error(refused)["message"]


def test_hugging_face_embeds_and_truncates_on_both_sides(
    tiny: Gateway, tiny_url: str, query: Embeddings, documents: Embeddings, tmp_path: Path
) -> None:
    found = run_script("hugging_face.py", tiny, folder=tmp_path)
    close(found["query"], query.vectors)
    close(found["documents"], documents.vectors)
    with Client(tiny_url) as client:
        for side, direction in (("START", "left"), ("END", "right")):
            close(found[direction], client.embed(["a b c " * 40], "query", truncate=side).vectors)  # type: ignore[arg-type]


def test_jina_embeds_objects_by_task(tiny: Gateway, query: Embeddings, documents: Embeddings) -> None:
    texts = [{"text": text} for text in TEXTS]
    with tiny.client() as http:

        def embed(**body: Any) -> Any:
            answer = http.post("/v1/embeddings", json={"model": "tiny", **body})
            assert answer.status_code == 200, answer.text
            return [item["embedding"] for item in answer.json()["data"]]

        close(embed(input=[{"text": QUESTION}], task="retrieval.query", normalized=True), query.vectors)
        for kind in (*TYPES, "float"):
            found = embed(input=texts, task="retrieval.passage", embedding_type=kind)
            close(found, quantized(documents.vectors, kind))  # type: ignore[arg-type]
        mixed = embed(input=[TEXTS[0], *texts[1:]], task="retrieval.passage")  # texts beside objects
        close(mixed, documents.vectors)
        (coded,) = embed(input=[TEXTS[0]], task="text-matching", embedding_type="base64")
        close(np.frombuffer(base64.b64decode(coded), "<f4"), documents.vectors[0])
        assert len(embed(input="x " * 100, task="separation", truncate=True)[0]) == 32


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input_type": "query", "task": "retrieval.passage"}, "input_type"),
        ({"truncate": "START", "truncation": True}, "truncate"),
        ({"dimensions": 8, "output_dimension": 16}, "dimensions"),
        ({"output_dtype": "int8", "embedding_type": "binary"}, "output_dtype"),
    ],
)
def test_fields_of_the_same_meaning_may_agree_but_not_differ(tiny: Gateway, fields: dict[str, Any], param: str) -> None:
    with tiny.client() as http:
        answer = http.post("/v1/embeddings", json={"model": "tiny", "input": "a", "input_type": "query", **fields})
        assert (answer.status_code, error(answer)["param"]) == (400, param)
        agreeing = {"task": "retrieval.query", "truncate": True, "truncation": True, "output_dimension": 8}
        answer = http.post(
            "/v1/embeddings",
            json={"model": "tiny", "input": "a", "input_type": "query", "dimensions": 8, **agreeing},
        )
        assert answer.status_code == 200, answer.text


def test_tei_describes_the_encoder_and_embeds_with_a_prompt(tiny: Gateway, documents: Embeddings) -> None:
    with tiny.client() as http:
        info = http.get("/info").json()
        found = http.post("/embed", json={"inputs": TEXTS, "prompt_name": "passage"}).json()
        short = http.post("/embed", json={"inputs": TEXTS[0], "prompt_name": "query", "dimensions": 8}).json()
        missing = http.post("/embed", json={"inputs": "a"})
        unknown = http.post("/embed", json={"inputs": "a", "prompt_name": "other"})
    assert (info["model_id"], info["max_input_length"], info["auto_truncate"]) == ("tiny", 64, False)
    close(found, documents.vectors)
    assert np.shape(short) == (1, 8)
    assert (missing.status_code, error(missing)["param"]) == (400, "prompt_name")
    assert (unknown.status_code, error(unknown)["param"]) == (422, "prompt_name")


def test_tei_tokenizes_as_the_encoder_does(tiny: Gateway, documents: Embeddings) -> None:
    with tiny.client() as http:

        def tokens(**body: Any) -> Any:
            return http.post("/tokenize", json=body).json()

        prompted = tokens(inputs=TEXTS, prompt_name="document")
        bare, special = tokens(inputs="ä b", add_special_tokens=False), tokens(inputs="ä b")
        refused = http.post("/tokenize", json={"inputs": ["a " * 20_000] * 2})
    assert [len(found) for found in prompted] == documents.tokens.tolist()
    assert [token["special"] for token in special[0]] == [True, *[False] * len(bare[0]), True]
    assert special[0][0] == {**special[0][0], "start": None, "stop": None}
    assert special[0][1:-1] == bare[0]
    assert [token["text"] for token in bare[0]] == ["ä b"[token["start"] : token["stop"]] for token in bare[0]]
    assert (refused.status_code, error(refused)["param"]) == (400, "inputs")


def test_tei_ranks_in_its_own_shape(tiny: Gateway) -> None:
    def ranked(http: httpx.Client, **body: Any) -> list[dict[str, Any]]:
        answer = http.post("/rerank", json={"query": QUESTION, "texts": TEXTS, **body})
        found: list[dict[str, Any]] = answer.json()
        return found

    with tiny.client() as http:
        plain, raw = ranked(http), ranked(http, raw_scores=True, return_text=True, truncation_direction="left")
    assert {frozenset(item) for item in plain} == {frozenset({"index", "score"})}
    assert [item["text"] for item in raw] == [TEXTS[item["index"]] for item in raw]
    scores = np.array([item["score"] for item in raw])
    assert (np.diff(scores) <= 0).all()
    close([item["score"] for item in plain], 1 / (1 + np.exp(-scores)))
