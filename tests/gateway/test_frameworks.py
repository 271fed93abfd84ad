"""Retrievers for LangChain, LlamaIndex and Haystack, their classes for other servers, LiteLLM, and the JDK's client."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retriton_client import Client
from tests.conftest import ROOT
from tests.gateway.clients.documented import blocks
from tests.gateway.clients.environment import run_client
from tests.gateway.conftest import SAMPLES, Gateway, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
ENVIRONMENT = ".venv-frameworks"
SCRIPTS = Path(__file__).parent / "frameworks"
QUESTION = "why are there two lanes?"
TEXTS = [f"{chr(97 + n)} {n} " * (1 + n % 5) for n in range(9)]
NODE = {"number", "source", "title", "context", "document_id", "chunk_index", "scores"}


def run_script(name: str, gateway: Gateway, *arguments: str, folder: Path, **environ: str) -> dict[str, Any]:
    command = ("python", str(SCRIPTS / name), gateway.url, gateway.key, *arguments, QUESTION, *TEXTS)
    printed = run(*command, folder=folder, **environ)  # with warnings before and after
    found: dict[str, Any] = json.JSONDecoder().raw_decode(printed[printed.index('{"') :])[0]
    return found


def run(*command: str, folder: Path, **environ: str) -> str:
    environ = {"PYTHONPATH": "", **environ}
    environ["PYTHONPATH"] = ":".join([f"{ROOT}/client", f"{ROOT}/serving", environ["PYTHONPATH"]])
    return run_client(*command, folder=folder, environment=ENVIRONMENT, **environ)


def retrieved(gateway: Gateway, **options: Any) -> list[dict[str, Any]]:
    """The passages of the route itself."""
    with gateway.client() as http:
        answer = http.post("/v1/retrieve", json={"query": QUESTION, "top_k": 2, "mode": "hybrid", **options})
    passages: list[dict[str, Any]] = answer.json()["passages"]
    return passages


def close(found: Any, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(found, np.float32), wanted, atol=1e-6)


def decoded(vector: list[float] | str) -> Any:
    """LiteLLM 1.81 returns base64 as it is."""
    return np.frombuffer(base64.b64decode(vector), "<f4") if isinstance(vector, str) else vector


def check_ranking(ranked: list[list[Any]], url: str) -> None:
    """Whether the three best texts are those of the cross-encoder."""
    with Client(url) as client:
        scores = client.rerank(QUESTION, TEXTS).scores
    assert [text for text, _ in ranked] == [TEXTS[place] for place in np.argsort(-scores, kind="stable")[:3]]


def vectors(url: str) -> tuple[np.ndarray, np.ndarray]:
    """Of the question, and of the texts as passages."""
    with Client(url) as client:
        return client.embed_queries([QUESTION])[0], client.embed_passages(TEXTS)


def test_langchain_s_own_tests_of_retrievers(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    shutil.copy(SCRIPTS / "langchain_conformance.py", tmp_path / "test_conformance.py")
    printed = run(
        *("python", "-m", "pytest", "-q", "-W", "error", "test_conformance.py"),
        folder=tmp_path,
        RETRITON_GATEWAY_URL=gateway.url,
        RETRITON_API_KEY=gateway.key,
    )
    assert "5 passed" in printed


def test_langchain_retrieves_embeds_and_answers(gateway: Gateway, url: str, tmp_path: Path) -> None:
    found = run_script("langchain_classes.py", gateway, "passage", folder=tmp_path)
    passages = retrieved(gateway)
    for (id_, text, metadata), passage in zip(found["found"], passages, strict=True):
        assert (id_, text) == (f"{passage['document_id']}-{passage['chunk_index']}", passage["text"])
        assert metadata == {name: passage[name] for name in {*NODE, "score"}}
    assert found["loops"] == [found["found"]] * 8
    assert found["pickled"] == found["found"]
    assert [document[2]["source"] for document in found["filtered"]] == ["glossary.txt"]
    mode, unknown, collection, condition = found["refused"]
    assert mode.startswith("invalid_request: mode:")
    assert "there is no search option 'nothing'; there are candidates" in unknown
    assert collection.startswith("collection_not_found")
    assert "the filter is invalid at character 7" in condition
    assert "http://127.0.0.1:9 does not respond" in found["unreachable"]
    assert gateway.key not in found["dumped"]
    documents = vectors(url)[1]
    close(found["query"], documents[0])
    close(found["documents"], documents)
    close(found["documents_async"], documents)
    assert found["answer"] == "Two lanes keep queries fast [1]."


def test_llama_index_retrieves_embeds_and_ranks(
    tiny: Gateway, tiny_url: str, gateway: Gateway, url: str, tmp_path: Path
) -> None:
    here = (tiny.url, tiny.key, "tiny", "tiny-cross-encoder")
    found = run_script("llama_index_classes.py", gateway, *here, folder=tmp_path)
    for (id_, text, metadata, score, document), passage in zip(found["found"], retrieved(gateway), strict=True):
        assert (id_, text) == (f"{passage['document_id']}-{passage['chunk_index']}", passage["text"])
        assert metadata == {name: passage[name] for name in {*NODE, "score"}}
        assert (score, document) == (passage["score"], passage["document_id"])
    assert found["found_async"] == found["engine"] == found["found"]
    assert found["prompt"].startswith("source: serving.md\ntitle: Serving encoders")
    assert "document_id" not in found["prompt"]
    query, documents = vectors(tiny_url)
    close(found["nvidia"][0], query)
    close(found["nvidia"][1], documents)
    close(found["openai"], documents)
    close(found["tei"], vectors(url)[1])
    check_ranking(found["ranked"], tiny_url)


def test_haystack_retrieves_embeds_and_ranks(tiny: Gateway, tiny_url: str, gateway: Gateway, tmp_path: Path) -> None:
    here = (tiny.url, tiny.key, "tiny", "tiny-cross-encoder")
    found = run_script("haystack_classes.py", gateway, *here, folder=tmp_path, RETRITON_API_KEY=gateway.key)
    for (id_, text, meta, score), passage in zip(found["found"], retrieved(gateway), strict=True):
        assert (id_, text) == (f"{passage['document_id']}-{passage['chunk_index']}", passage["text"])
        assert (meta, score) == ({name: passage[name] for name in NODE}, passage["score"])
    assert found["found_async"] == found["found"]
    assert (found["prompt"], gateway.key in found["written"]) == ("[1][2]", False)
    assert [meta["source"] for _, _, meta, _ in found["filtered"]] == ["glossary.txt"]
    assert "an operator: ==" in found["refused"][0]
    assert "not 'XOR'" in found["refused"][1]
    query, documents = vectors(tiny_url)
    close(found["nvidia"][0], query)
    close(found["nvidia"][1], documents)
    close(found["openai"][0], documents[0])
    close(found["openai"][1], documents)
    check_ranking(found["ranked"], tiny_url)


def test_examples_of_the_documentation_run(gateway: Gateway, tmp_path: Path) -> None:
    environ = {"RETRITON_GATEWAY_URL": gateway.url, "RETRITON_API_KEY": gateway.key}
    examples = [text for language, text in blocks("frameworks.md") if language == "python"]
    langchain, llama_index, haystack = (run("python", "-c", text, folder=tmp_path, **environ) for text in examples)
    assert langchain.startswith("[1] serving.md: ")
    assert langchain.splitlines()[-1] == "1"
    assert "serving.md" in llama_index.splitlines()[0]
    assert haystack.startswith("[1] Serving encoders")


@pytest.mark.parametrize("version", ["1.81.3", "1.110.2"])
def test_litellm_through_every_provider(tiny: Gateway, tiny_url: str, tmp_path: Path, version: str) -> None:
    with tiny.client() as http:
        upload(http, "documents", SAMPLES[-1:])
    path = f"{ROOT}/{ENVIRONMENT}/lib/litellm-{version}"  # the newer one is installed instead
    here = ("tiny", "tiny-cross-encoder")
    environ = {"PYTHONPATH": path, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    found = run_script("litellm_sdk.py", tiny, *here, folder=tmp_path, **environ)
    assert found["version"] == version
    _, documents = vectors(tiny_url)
    for embeddings in found["embedded"].values():
        close([decoded(vector) for vector in embeddings], documents)
    assert {name: len(ranked) for name, ranked in found["ranked"].items()} == dict.fromkeys(found["ranked"], 3)  # top_n
    for ranked in found["ranked"].values():
        check_ranking([[TEXTS[index], score] for index, score in ranked], tiny_url)
    assert "at most 64" in found["refused"]
    assert found["answer"] == found["streamed"] == "Two lanes keep queries fast [1]."


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no JDK: `java` is not in PATH")
def test_the_jdk_s_client_offers_http2_and_is_answered(gateway: Gateway) -> None:
    body = {"model": "query", "input": [QUESTION], "dimensions": 4}
    command = ["java", str(SCRIPTS / "JdkClient.java"), gateway.url, gateway.key, json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    *embedded, health = (line.split(" ", 2) for line in done.stdout.splitlines())
    assert {(status, version) for status, version, _ in [*embedded, health]} == {("200", "HTTP_1_1")}
    with gateway.client() as http:
        wanted = http.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    assert len(embedded) == 9
    for _, _, text in embedded:
        close(json.loads(text)["data"][0]["embedding"], np.array(wanted, np.float32))
    assert json.loads(health[2]) == {"status": "live"}
