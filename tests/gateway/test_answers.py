"""Retrieval and answers: passages, sources, prompts and milliseconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway import Settings
from retriton_pipeline.gateway.app import create_app
from tests.chat_endpoint import Says
from tests.gateway.conftest import SAMPLES, Gateway, running, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
QUESTION = "Why are there two lanes?"


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": QUESTION}], **more}


def test_retrieve_returns_passages_and_the_time_of_every_stage(http: httpx.Client) -> None:
    found = http.post("/v1/retrieve", json={"query": QUESTION, "top_k": 2, "include_prompt": True}).json()
    assert [passage["number"] for passage in found["passages"]] == [1, 2]
    assert found["passages"][0]["source"] == "serving.md"
    assert set(found["passages"][0]["scores"]) >= {"dense", "bm25", "fused"}
    assert set(found["latency_ms"]) == {"embed", "search", "assemble", "total"}
    assert found["passages"][0]["text"] in found["prompt"]
    dense = http.post("/v1/retrieve", json={"query": QUESTION, "mode": "dense", "hops": 1, "neighbours": 0}).json()
    assert set(dense["passages"][0]["scores"]) == {"dense"}
    assert dense["prompt"] is None


def test_prompts_are_counted_with_the_tokenizer_of_the_llm(url: str, tmp_path: Path) -> None:
    characters = tmp_path / "characters.json"  # each is a token
    Tokenizer(BPE({"?": 0}, [], unk_token="?")).save(str(characters))
    options = ["--prompt-tokenizer", str(characters), "--prompt-tokens"]
    tools = [{"type": "file_search", "vector_store_ids": ["documents"]}]
    asked = {"/v1/chat/completions": chat(), "/v1/responses": {"model": "m", "input": QUESTION, "tools": tools}}
    with running(url, tmp_path, *options, "100") as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES)
        for path, body in asked.items():
            refused = http.post(path, json=body)
            assert refused.status_code == 400
            assert "the prompt without passages has" in refused.json()["error"]["message"]
    prompts = []
    for budget in (2000, 4000):
        with running(url, tmp_path, *options, str(budget)) as gateway, gateway.client() as http:
            for path, body in asked.items():
                assert http.post(path, json=body).status_code == 200
                prompts.append(gateway.llm.asked[-1]["messages"][-1]["content"])
    lengths = [len(prompt) for prompt in prompts]  # with the encoder's tokenizer, all passages would fit
    assert max(lengths[:2]) <= 2000 < min(lengths[2:]) <= max(lengths[2:]) <= 4000


def test_a_tokenizer_that_cannot_be_loaded_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(PipelineError, match="broken.json cannot be loaded"):
        create_app(Settings(url="", milvus="", prompt_tokenizer=str(tmp_path / "broken.json")))


def test_filters_and_wrong_ones(http: httpx.Client) -> None:
    only = http.post("/v1/retrieve", json={"query": QUESTION, "filter": 'source == "storing.html"'}).json()
    assert {passage["source"] for passage in only["passages"]} == {"storing.html"}
    wrong = http.post("/v1/retrieve", json={"query": QUESTION, "filter": "nonsense ==="})
    assert wrong.status_code == 400
    assert "filter" in wrong.json()["error"]["message"]


def test_an_answer_has_its_sources(gateway: Gateway, http: httpx.Client) -> None:
    messages = [{"role": "system", "content": "Be brief."}, *chat()["messages"]]
    answer = http.post("/v1/chat/completions", json=chat(messages=messages, temperature=0.1)).json()
    assert answer["choices"][0]["message"]["content"] == "Two lanes keep queries fast [1]."
    assert answer["sources"][0]["source"] == "serving.md"
    assert answer["citations"] == [1]
    assert answer["usage"]["total_tokens"] == 10
    assert {"embed", "search", "assemble", "first_piece", "answer", "total"} <= set(answer["latency_ms"])
    asked = gateway.llm.asked[-1]
    assert asked["messages"][0] == messages[0]
    assert answer["sources"][0]["text"] in asked["messages"][1]["content"]
    assert (asked["temperature"], asked["model"], "retrieval" in asked) == (0.1, "m", False)


def test_a_stream_begins_with_sources_and_ends_with_citations(http: httpx.Client) -> None:
    body = chat(stream=True, stream_options={"include_usage": True}, retrieval={"include_prompt": True, "top_k": 1})
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    assert len(events[0]["sources"]) == 1
    assert QUESTION in events[0]["prompt"]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events if event["choices"])
    assert text == "Two lanes keep queries fast [1]."
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-2]["citations"] == [1]
    assert events[-1]["usage"]["total_tokens"] == 10


def test_a_conversation_is_understood_and_in_the_prompt(gateway: Gateway, http: httpx.Client) -> None:
    messages = [
        {"role": "user", "content": "Tell me about GPU indexes."},
        {"role": "assistant", "content": "They live on a GPU."},
        {"role": "user", "content": [{"type": "text", "text": "Which metric do they know?"}]},
    ]
    answer = http.post("/v1/chat/completions", json=chat(messages=messages)).json()
    assert "rewrite" in answer["latency_ms"]
    assert "assistant: They live on a GPU." in gateway.llm.asked[-1]["messages"][0]["content"]


def test_a_long_conversation_of_parts_is_answered(gateway: Gateway, http: httpx.Client) -> None:
    parts = [{"type": "text", "text": "Why are there"}, {"type": "text", "text": "two lanes?"}]
    turns = [{"role": "user", "content": "And lanes?"}, {"role": "assistant", "content": None}] * 500
    answer = http.post("/v1/chat/completions", json=chat(messages=[*turns, {"role": "user", "content": parts}]))
    assert answer.status_code == 200, answer.text
    assert QUESTION in gateway.llm.asked[-1]["messages"][-1]["content"]


IMAGE = {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}}
TOOL = {"type": "function", "function": {"name": "f"}}
FROM_TOOL = {"role": "tool", "tool_call_id": "1", "content": "x"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (chat(messages=[{"role": "user", "content": [IMAGE]}]), 400, "messages.0.content: content of the type 'image"),
        (chat(messages=[FROM_TOOL, *chat()["messages"]]), 400, "messages.0.role: messages of the role tool are not"),
        (chat(tools=[TOOL]), 400, "tools: tools are not supported"),
        (chat(functions=[TOOL["function"]]), 400, "functions: tools are not supported"),
        (chat(messages=chat()["messages"] * 4097), 422, "messages: List should have at most 4096 items, not 4097"),
        (chat(model="gpt"), 404, "no model 'gpt'"),
        (chat(messages=[]), 422, "messages"),
        (chat(messages=[{"role": "assistant", "content": "x"}]), 400, "the last message"),
        (chat(messages=[{"role": "user", "content": " "}]), 400, "the last message"),
        (chat(retrieval={"collection": "nothing"}), 404, "no such collection"),
        (chat(retrieval={"rerank": True}), 404, "no cross-encoder"),
        (chat(n=2), 422, "n"),
    ],
)
def test_wrong_requests(http: httpx.Client, body: dict[str, Any], status: int, message: str) -> None:
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == status, answer.text
    assert message in answer.json()["error"]["message"]


def test_an_llm_that_disconnects_is_an_error(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, llm=Says(("half an ",), breaks=True)) as gateway, gateway.client() as http:
        upload(http, "documents", SAMPLES[:1])
        refused = http.post("/v1/chat/completions", json=chat())
        assert refused.status_code == 502
        assert refused.json()["error"]["code"] == "llm_failed"
        assert gateway.llm.url not in refused.text
        with http.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
            lines = [line for line in answer.iter_lines() if line]
        assert '"code":"llm_failed"' in lines[-2]
