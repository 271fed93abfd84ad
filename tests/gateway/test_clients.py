"""Existing clients: OpenAI, LangChain, aiperf, curl, and a walk-through of NVIDIA's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from tokenizers import Tokenizer

from retriton_client import Client, EncoderInfo
from retriton_pipeline.gateway import new_key
from tests.conftest import ROOT
from tests.gateway.clients.documented import blocks, is_like
from tests.gateway.clients.environment import SCRIPTS, run_client
from tests.gateway.conftest import SAMPLES, Gateway, running, until, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
MODEL = "all-MiniLM-L6-v2"
TEXTS = [f"text {number}, " * (1 + number % 9) for number in range(70)]
PASSAGES = [f"{chr(97 + n)} {n} " * (1 + n % 5) for n in range(9)]


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        yield client


def vectors(answer: Any) -> np.ndarray:
    return np.array([item.embedding for item in answer.data], np.float32)


def test_openai_gets_vectors_in_order_and_token_counts(sdk: openai.OpenAI, client: Client) -> None:
    wanted = client.embed(TEXTS, "passage")
    found = sdk.embeddings.create(model=MODEL, input=TEXTS, user="somebody")
    assert [item.index for item in found.data] == list(range(70))
    np.testing.assert_allclose(vectors(found), wanted.vectors, atol=1e-6)
    tokens = int(wanted.tokens.sum())
    assert (found.usage.prompt_tokens, found.usage.total_tokens, found.model) == (tokens, tokens, MODEL)
    one = sdk.embeddings.create(model=f"{MODEL}-query", input=TEXTS[3])
    np.testing.assert_allclose(vectors(one), wanted.vectors[3:4], atol=1e-6)
    short = vectors(sdk.embeddings.create(model="query", input=TEXTS[:2], dimensions=16))
    np.testing.assert_allclose(short, client.embed(TEXTS[:2], "query", dimensions=16).vectors, atol=1e-6)
    assert {MODEL, f"{MODEL}-query", f"{MODEL}-passage", "m"} <= {model.id for model in sdk.models.list()}
    assert sdk.models.retrieve(MODEL).owned_by == "retriton"


def test_base64_and_floats_are_the_same_numbers(http: httpx.Client) -> None:
    asked = {"model": "passage", "input": TEXTS[:5]}
    floats, coded = (
        [
            item["embedding"]
            for item in http.post("/v1/embeddings", json={**asked, "encoding_format": form}).json()["data"]
        ]
        for form in ("float", "base64")
    )
    decoded = [np.frombuffer(base64.b64decode(text), "<f4") for text in coded]
    np.testing.assert_array_equal(np.array(floats, np.float32), decoded)


def test_token_ids_stand_for_their_text_once_they_are_known_to_be_own(sdk: openai.OpenAI, encoder: EncoderInfo) -> None:
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False") as refused:
        sdk.embeddings.create(model="query", input=[15339, 1917])  # "hello world" of cl100k_base
    assert refused.value.code == "token_ids_refused"
    with pytest.raises(openai.BadRequestError, match=f"the fingerprint of .* is {encoder.fingerprint}"):
        sdk.embeddings.create(model="query", input=[1], extra_headers={"X-Retriton-Token-Ids": "other"})
    sdk = sdk.with_options(default_headers={"X-Retriton-Token-Ids": "own"})
    tokenizer = Tokenizer.from_str(encoder.tokenizer)
    texts = ["how are batches formed?", "unbelievably long-winded"]
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    wanted = sdk.embeddings.create(model="query", input=texts)
    many, one = (sdk.embeddings.create(model="query", input=given) for given in (ids, ids[1]))
    np.testing.assert_array_equal(vectors(many), vectors(wanted))
    np.testing.assert_allclose(vectors(one), vectors(wanted)[1:], atol=1e-6)
    assert many.usage.total_tokens == sum(map(len, ids)) + 2 * len(ids)
    known = sdk.with_options(default_headers={"X-Retriton-Token-Ids": encoder.fingerprint})
    np.testing.assert_array_equal(vectors(known.embeddings.create(model="query", input=ids)), vectors(wanted))
    with pytest.raises(openai.BadRequestError, match=f"token id 100257 is not of .* {tokenizer.get_vocab_size()}"):
        sdk.embeddings.create(model="query", input=[100257])


def test_openai_raises_what_it_has_for_each_error(sdk: openai.OpenAI, gateway: Gateway, http: httpx.Client) -> None:
    with pytest.raises(openai.BadRequestError, match="402 tokens, the encoder takes at most 256") as refused:
        sdk.embeddings.create(model=MODEL, input="word " * 400)
    assert (refused.value.code, refused.value.param) == ("text_too_long", "input")
    cut = sdk.embeddings.create(model=MODEL, input="word " * 400, extra_body={"truncate": "END"})
    assert cut.usage.total_tokens == 256
    with pytest.raises(openai.NotFoundError, match="no model 'gpt' here, only all-MiniLM-L6-v2"):
        sdk.embeddings.create(model="gpt", input="a")
    with pytest.raises(openai.UnprocessableEntityError, match="truncate"):
        sdk.embeddings.create(model=MODEL, input="a", extra_body={"truncate": "MIDDLE"})
    with pytest.raises(openai.AuthenticationError, match="valid API key"):
        sdk.with_options(api_key="rt-wrong").embeddings.create(model=MODEL, input="a")
    with pytest.raises(openai.APIStatusError) as large:
        sdk.embeddings.create(model=MODEL, input="a" * 17_000_000)
    assert (large.value.status_code, large.value.code) == (413, "too_large")
    malformed = http.post("/v1/embeddings", content=b'{"input": ', headers={"Content-Type": "application/json"})
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (400, "malformed_json")


def test_openai_reads_answers_with_their_sources(sdk: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Why are there two lanes?"}]}
    whole = sdk.chat.completions.create(**asked)
    assert whole.choices[0].message.content == "Two lanes keep queries fast [1]."
    assert whole.model_extra and whole.model_extra["citations"] == [1]
    events = list(sdk.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == (
        whole.choices[0].message.content
    )
    assert events[0].model_extra and events[0].model_extra["sources"] == whole.model_extra["sources"]
    assert events[-1].usage and events[-1].usage.total_tokens == 10


def test_the_role_is_required_where_prompts_differ(tiny: Gateway, tiny_url: str) -> None:
    with tiny.client() as http, Client(tiny_url) as client:
        refused = http.post("/v1/embeddings", json={"model": "tiny", "input": "a b"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "input_type_missing")
        assert "tiny-query or tiny-passage" in refused.json()["error"]["message"]
        wanted = {role: client.embed(["a b"], role) for role in ("query", "passage")}
        assert not np.allclose(wanted["query"].vectors, wanted["passage"].vectors, atol=1e-3)
        for role, found in wanted.items():
            for asked in ({"model": f"tiny-{role}"}, {"model": "tiny", "input_type": role}, {"model": role}):
                answer = http.post("/v1/embeddings", json={**asked, "input": "a b"}).json()
                np.testing.assert_allclose(answer["data"][0]["embedding"], found.vectors[0], atol=1e-6)
                assert answer["usage"]["total_tokens"] == found.tokens[0]


def test_langchain_embeds_and_ranks(tiny: Gateway, tiny_url: str, tmp_path: Path) -> None:
    printed = run_client(
        *("python", str(SCRIPTS / "langchain_nvidia.py"), tiny.url, tiny.key, "tiny", "tiny-cross-encoder", "which?"),
        *PASSAGES,
        folder=tmp_path,
    )
    result = json.loads(printed.splitlines()[-1])
    with Client(tiny_url) as client:
        query, passages = client.embed_queries(["which?"])[0], client.embed_passages(PASSAGES)
        logits = dict(zip(PASSAGES, _logits(client.rerank("which?", PASSAGES).scores), strict=True))
    assert {"tiny", "tiny-cross-encoder"} <= set(result["models"])
    np.testing.assert_allclose(result["query"], query, atol=1e-6)
    assert result["query_async"] == result["query"]
    np.testing.assert_allclose(result["documents"], passages, atol=1e-6)
    assert result["short"] == 8
    assert "at most 64" in result["refused"]
    best = sorted(PASSAGES, key=lambda text: -logits[text])[:3]
    assert [text for text, _ in result["ranked"]] == best
    assert result["best"] == best[0]
    np.testing.assert_allclose([score for _, score in result["ranked"]], [logits[text] for text in best], atol=1e-4)


def test_rankings_in_three_formats_equal_those_of_grpc(tiny: Gateway, tiny_url: str) -> None:
    with Client(tiny_url) as client:
        wanted = client.rerank("which?", PASSAGES)
    best, tokens = np.argsort(-wanted.scores, kind="stable").tolist(), int(wanted.tokens.sum())
    with tiny.client() as http:

        def ranked(path: str, **body: Any) -> Any:
            answer = http.post(path, json={"query": "which?", "model": "tiny-cross-encoder", **body})
            assert answer.status_code == 200, answer.text
            return answer.json()

        nim = ranked("/v1/ranking", query={"text": "which?"}, passages=[{"text": text} for text in PASSAGES])
        texts = ranked("/rerank", texts=PASSAGES, return_text=True)
        raw = ranked("/rerank", texts=PASSAGES, raw_scores=True)
        documents = ranked("/v1/rerank", documents=PASSAGES, top_n=2, return_documents=True)
        missing = http.post("/v1/rerank", json={"query": "q", "documents": ["a"], "model": "gpt"})
    assert [item["index"] for item in nim["rankings"]] == [item["index"] for item in texts] == best
    np.testing.assert_allclose([item["logit"] for item in nim["rankings"]], _logits(wanted.scores)[best], atol=1e-4)
    np.testing.assert_allclose([item["score"] for item in texts], wanted.scores[best], atol=1e-6)
    np.testing.assert_allclose([item["score"] for item in raw], _logits(wanted.scores)[best], atol=1e-4)
    assert [item["text"] for item in texts] == [PASSAGES[index] for index in best]
    assert [item["document"]["text"] for item in documents["results"]] == [PASSAGES[index] for index in best[:2]]
    np.testing.assert_allclose(
        [item["relevance_score"] for item in documents["results"]], wanted.scores[best[:2]], atol=1e-6
    )
    assert nim["usage"] == documents["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities) - np.log1p(-probabilities)


def test_documents_return_in_the_shape_of_each_path_or_not_at_all(tiny: Gateway) -> None:
    with tiny.client() as http:

        def first(path: str, **body: Any) -> dict[str, Any]:
            answer = http.post(path, json={"query": "which?", **body})
            assert answer.status_code == 200, answer.text
            found = answer.json()
            entry: dict[str, Any] = (found["results"] if isinstance(found, dict) else found)[0]
            return entry

        scores = {"index", "relevance_score"}
        for path, returned in (("/rerank", "b"), ("/v1/rerank", {"text": "b"}), ("/v2/rerank", {"text": "b"})):
            assert set(first(path, documents=["b"], return_documents=None)) == scores
            assert first(path, documents=["b"], return_documents=True)["document"] == returned
            assert first(path, documents=[{"text": "b"}], return_documents=True)["document"] == returned
            assert set(first(path, texts=["b"], truncate=None)) == {"index", "score"}


def test_a_ranking_may_leave_the_model_out_or_name_the_first_of_the_list(tiny: Gateway) -> None:
    body: dict[str, Any] = {"query": {"text": "which?"}, "passages": [{"text": "b"}]}
    with tiny.client() as http:
        first = http.get("/v1/models").json()["data"][0]["id"]  # as NVIDIARerank
        full = "cross-encoder/tiny-cross-encoder"  # as on Hugging Face
        for asked, named in ((None, "tiny-cross-encoder"), ("tiny-cross-encoder",) * 2, (full, full), (first, first)):
            answer = http.post("/v1/ranking", json={**body, "model": asked})
            assert (answer.status_code, answer.json()["model"]) == (200, named)
        assert http.post("/v1/ranking", json={**body, "model": "gpt"}).status_code == 404
        assert http.get(f"/v1/models/{full}").json()["id"] == "tiny-cross-encoder"
        assert http.get("/v1/models/cross-encoder/gpt").status_code == 404


def test_aiperf_measures_with_the_served_tokenizer(gateway: Gateway, encoder: EncoderInfo, tmp_path: Path) -> None:
    cached(tmp_path / "hub", f"sentence-transformers/{MODEL}", encoder)
    command = next(text for language, text in blocks() if language == "sh" and text.startswith("aiperf"))
    words = command.replace("\\\n", " ").replace('"$GATEWAY"', gateway.url).replace('"$KEY"', gateway.key).split()
    run_client(*words, folder=tmp_path, HF_HOME=str(tmp_path))
    measured = json.loads((tmp_path / "aiperf" / "profile_export_aiperf.json").read_text())
    assert (measured["request_count"]["avg"], measured["error_summary"]) == (20, [])
    sent = json.loads((tmp_path / "aiperf" / "inputs.json").read_text())["data"]
    with gateway.client() as http:
        usages = [http.post("/v1/embeddings", json=item["payloads"][0]).json()["usage"] for item in sent]
    special = 2 * 4  # of each text, which aiperf does not count
    assert measured["total_isl"]["avg"] == sum(usage["total_tokens"] - special for usage in usages)


def cached(hub: Path, name: str, encoder: EncoderInfo) -> None:
    """A tokenizer where `huggingface_hub` keeps what it has downloaded."""
    folder, revision = hub / f"models--{name.replace('/', '--')}", "0" * 40
    snapshot = folder / "snapshots" / revision
    for part in (folder / "refs", folder / "blobs", snapshot):
        part.mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    config = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": encoder.max_tokens})
    for file, text in (("tokenizer.json", encoder.tokenizer), ("tokenizer_config.json", config)):
        blob = folder / "blobs" / hashlib.sha256(text.encode()).hexdigest()
        blob.write_text(text)
        (snapshot / file).symlink_to(Path("../../blobs") / blob.name)


def test_responses_match_the_documentation(tiny: Gateway) -> None:
    documented = blocks()
    scripts = [
        number for number, (language, text) in enumerate(documented) if language == "sh" and "aiperf" not in text
    ]
    done = subprocess.run(
        ["bash", "-u", "-c", "printf '\\0'\n".join(documented[number][1] for number in scripts)],
        cwd=ROOT,
        env={**os.environ, "GATEWAY": tiny.url, "KEY": tiny.key, "RERANKER": "tiny-cross-encoder", "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    outputs = done.stdout.split("\0")
    assert len(outputs) == len(scripts) > 15
    for number, output in zip(scripts, outputs, strict=True):
        language, text = documented[number + 1]
        if language == "json":
            assert is_like(json.loads(text), json.loads(output)), f"{documented[number][1]}{text}{output}"
        else:
            assert '"error":{' not in output
    assert any(output.endswith("data: [DONE]\n\n") for output in outputs)


def test_snippets_of_the_documentation_run(tiny: Gateway, tmp_path: Path) -> None:
    environ = {"GATEWAY": tiny.url, "KEY": tiny.key, "RERANKER": "tiny-cross-encoder"}
    with tiny.client() as http:
        upload(http, "documents", SAMPLES[-1:])
    snippets = [text for language, text in blocks() if language == "python"]
    files, sdk, langchain = snippets
    assert "langchain" in langchain
    printed = [
        subprocess.run(
            [sys.executable, "-c", snippet],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.splitlines()
        for snippet in (files, sdk)
    ]
    assert printed[0][0].startswith("lanes.md 1.0 {'year': 2026.0, 'team': 'serving'} There are two lanes")
    assert "filename='lanes.md'" in printed[0][1]
    assert printed[1][-1] == "Two lanes keep queries fast [1]. [1]"
    assert run_client("python", "-c", langchain, folder=tmp_path, **environ).startswith("32 2")


@pytest.mark.parametrize("poll_after_s", ["1", "0"])
def test_the_walk_through_of_the_playground(url: str, tmp_path: Path, poll_after_s: str) -> None:
    with running(url, tmp_path, "--poll-after", poll_after_s) as gateway:
        script = str(ROOT / "docs" / "walkthrough.py")
        printed = run_client("python", script, folder=tmp_path, GATEWAY=gateway.url, KEY=gateway.key).splitlines()
    answering, other = (float(line.split()[0]) for line in printed[-2:])
    assert answering > other + 0.2
    pending = [line for line in printed if line.startswith("pending: ")]
    assert len(pending) >= 2 if poll_after_s == "0" else not pending


def test_a_pending_answer_is_fetched_once_by_the_key_that_asked(url: str, tmp_path: Path) -> None:
    asked = {"input": TEXTS[:3], "model": "passage", "encoding_format": "float"}
    with running(url, tmp_path) as gateway:
        key, line = new_key("other")
        with gateway.keys_file.open("a") as keys:
            keys.write(f"{line}\n")
        with gateway.client() as http, gateway.client(key) as stranger:
            until(lambda: stranger.get("/v1/models").status_code != 401)  # the new key is loaded
            begun = http.post("/v2/nvcf/pexec/functions/any", json=asked, headers={"NVCF-POLL-SECONDS": "0"})
            assert (begun.status_code, begun.headers["NVCF-STATUS"]) == (202, "pending-evaluation")
            address = f"/v2/nvcf/pexec/status/{begun.headers['NVCF-REQID']}"
            assert stranger.get(address).status_code == 404
            found = http.get(address, headers={"NVCF-POLL-SECONDS": "10"})
            assert (found.status_code, found.headers["NVCF-STATUS"]) == (200, "fulfilled")
            assert http.get(address).status_code == 404
            at_once = http.post("/v1/embeddings", json=asked).json()
    assert found.json() == at_once
    assert [len(item["embedding"]) for item in found.json()["data"]] == [384] * 3
