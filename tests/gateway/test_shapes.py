"""Bodies of several shapes: an error is that of the shape that was sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.in_process import in_process

CHAT = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/embeddings", {"input": ["a"] * 2049}, "input: List should have at most 2048 items, not 2049"),
        ("/v1/embeddings", {"input": [[1]] * 2049}, "input: List should have at most 2048 items, not 2049"),
        ("/v1/embeddings", {"input": []}, "input: List should have at least 1 item, not 0"),
        ("/v1/embeddings", {"input": ["a", 1]}, "input.1: Input should be a valid string"),
        ("/v1/embeddings", {"input": [1, "a"]}, "input.1: Input should be a valid integer"),
        ("/v1/embeddings", {"input": [[1], [-1]]}, "input.1.0: Input should be greater than or equal to 0"),
        ("/v1/embeddings", {"input": 5}, "input: Input should be a valid string"),
        ("/v1/embeddings", {"input": [{"text": "a"}, {"image": "b"}]}, "input.1.text: Field required"),
        ("/v1/embeddings", {"input": "a", "truncate": "MIDDLE"}, "truncate: Input should be 'NONE', 'START' or 'END'"),
        ("/v1/embeddings", {"input": "a", "late_chunking": True}, "late_chunking: Input should be False"),
        ("/v2/embed", {"texts": ["a"], "embedding_types": ["float", "int4"]}, "embedding_types.1: Input should be"),
        ("/v2/embed", {"images": ["a"]}, "images: it is not supported: send texts"),
        ("/v2/embed", {"inputs": [{"content": []}], "images": None}, "inputs: it is not supported: send texts"),
        ("/v1/embed", {"inputs": "TEI's, at an address that ends with v1"}, "inputs: it is not supported: send texts"),
        ("/v2/embed", {"images": [], "inputs": None}, "texts: Field required"),
        ("/v1/embeddings", {"input": ["a", {"text": "b"}, 5]}, "input.2: Input should be a valid string"),
        ("/embed", {"inputs": ["a", ""]}, "inputs.1: String should have at least 1 character"),
        ("/v2/nvcf/pexec/functions/f", {"input": ["a", 1]}, "input.1: Input should be a valid string"),
        ("/rerank", {"query": "q", "documents": ["a"], "top_n": 0}, "top_n: Input should be greater than"),
        ("/v1/rerank", {"query": "q", "texts": ["a"], "raw_scores": "x"}, "raw_scores: Input should be a valid bool"),
        ("/rerank", {"query": "q", "texts": ["a"] * 1025}, "texts: List should have at most 1024 items, not 1025"),
        ("/rerank", {"query": "q", "documents": ["a", {"text": 1}]}, "documents.1.text: Input should be a valid str"),
        (
            "/rerank",
            {"query": "q"},
            "the body: it needs texts (as TEI) or documents (as Infinity, Cohere, Jina and Voyage)",
        ),
        ("/rerank", [], "the body: it needs texts"),
        (
            "/v1/retrieve",
            {"query": "q", "collection": "retriton_names"},
            "collection: the collection name 'retriton_nam",
        ),
        ("/v1/embeddings", [1], "the body: Input should be a valid object"),
        ("/v1/embeddings", {"input": " "}, "input: Text should have a character that is not white space"),
        ("/v1/embeddings", {"input": ["a", "\n"]}, "input.1: Text should have a character that is not white space"),
        ("/v1/ranking", {"query": "q", "passages": []}, "query: Input should be a valid object"),
        ("/v1/rerank", {"query": "q", "documents": [{"text": " "}]}, "documents.0.text: Text should have a character"),
        ("/v1/chat/completions", {**CHAT, "retrieval": "c"}, "retrieval: Input should be a valid object"),
        (
            "/v1/responses",
            {"input": "q", "tool_choice": {"type": "function"}},
            "tool_choice.type: Input should be 'file_search'",
        ),
        ("/v1/responses", {"input": "q", "tool_choice": "x"}, "tool_choice: Input should be 'none', 'auto' or 'requ"),
        (
            "/v1/vector_stores/s/files",
            {"file_id": "f", "attributes": {"a": [1]}},
            "attributes.a: Input should be a valid string or a valid boolean or a valid integer or a valid number",
        ),
        (
            "/v1/vector_stores/s/files",
            {"file_id": "f", "attributes": {"a": "v" * 513}},
            "attributes.a: String should have at most 512 characters",
        ),
        ("/v1/vector_stores/s/files", {"file_id": "f", "attributes": {"k" * 65: 1}}, f"attributes.{'k' * 65}: String"),
        (
            "/v1/vector_stores",
            {
                "chunking_strategy": {
                    "type": "static",
                    "static": {"max_chunk_size_tokens": 1, "chunk_overlap_tokens": 0},
                }
            },
            "chunking_strategy.static.max_chunk_size_tokens: Input should be greater than or equal to 100",
        ),
        (
            "/v1/vector_stores",
            {"chunking_strategy": {"type": "static", "static": {}}},
            "chunking_strategy.static.max_chunk_size_tokens: Field required",
        ),
        (
            "/v1/vector_stores",
            {"chunking_strategy": {"type": "other"}},
            "chunking_strategy.type: Input should be 'auto' or 'static'",
        ),
        ("/v1/vector_stores", {"chunking_strategy": {"type": "static"}}, "chunking_strategy.static: Field required"),
        ("/v1/vector_stores", {"chunking_strategy": {}}, "chunking_strategy.type: Field required"),
        ("/v1/vector_stores", {"chunking_strategy": "auto"}, "chunking_strategy: Input should be a valid object"),
        ("/v1/chat/completions", {**CHAT, "stop": ["a", 1]}, "stop.1: Input should be a valid string"),
        ("/v1/chat/completions", {**CHAT, "retrieval": {"top_k": 0}}, "retrieval.top_k: Input should be greater"),
        ("/v1/chat/completions", {**CHAT, "stop": 3}, "stop: Input should be a valid string"),
        ("/v1/chat/completions", {**CHAT, "messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input"),
        ("/v1/chat/completions", {**CHAT, "messages": [{"role": "user", "content": [5]}]}, "messages.0.content.0: "),
    ],
)
async def test_the_message_names_the_field_that_is_wrong(path: str, body: Any, message: str) -> None:
    async with in_process() as http:
        answer = await http.post(path, json={"model": "m", **body} if isinstance(body, dict) else body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["message"].startswith(message)


async def test_where_a_body_stops_being_json_is_said() -> None:
    async with in_process() as http:
        answer = await http.post("/v1/embeddings", content=rb'{"input": ["a", "half of an emoji: \ud83d"]}')
    assert answer.status_code == 400
    reason = "the body is not JSON: no low surrogate in string, at character "
    assert answer.json()["error"]["message"].startswith(reason)
