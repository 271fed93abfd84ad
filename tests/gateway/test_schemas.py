"""Request bodies: defaults of the library, and no type coercion."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from retriton_pipeline.gateway.schemas.chat import ChatRequest
from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.schemas.responses import ResponseRequest
from retriton_pipeline.gateway.schemas.search import RetrieveRequest, SearchBody
from retriton_pipeline.retrieval import SearchOptions
from tests.gateway.in_process import in_process
from tests.gateway.test_nulls import OPTIONAL, smallest


def test_search_options_have_the_defaults_of_the_library() -> None:
    body, options = SearchBody.model_validate({}), SearchOptions()
    assert {name: getattr(body, name) for name in SearchOptions.model_fields} == options.model_dump()


def test_integers_may_be_written_as_floats_and_unknown_fields_are_ignored() -> None:
    body = RetrieveRequest.model_validate({"query": "q", "top_k": 3.0, "hops": 1.0, "dense_weight": 1, "future": True})
    assert (body.top_k, body.hops, body.dense_weight) == (3, 1, 1.0)


@pytest.mark.parametrize("seed", [7, 7.0, 2.0**63, 2.0**70, -(2**70), None])
def test_a_seed_is_any_integer(seed: float | None) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "q"}], "seed": seed}
    assert ChatRequest.model_validate(body).seed == seed


UNBOUNDED = [
    (model, name)
    for model, name in OPTIONAL
    for kind in model.model_json_schema()["properties"][name]["anyOf"]
    if kind.get("type") == "integer" and not kind.keys() & {"maximum", "enum", "const"}
]


@pytest.mark.parametrize(("model", "name"), UNBOUNDED, ids=[f"{model.__name__}.{name}" for model, name in UNBOUNDED])
def test_an_integer_without_a_maximum_may_have_more_than_64_bits(model: type[RequestBody], name: str) -> None:
    schema = model.model_json_schema()
    body = smallest(schema, schema.get("$defs", {}))
    assert getattr(model.model_validate({**body, name: 2.0**70}), name) == 2**70
    minimum = [kind["minimum"] for kind in schema["properties"][name]["anyOf"] if "minimum" in kind]
    for value in minimum:
        with pytest.raises(ValidationError):
            model.model_validate({**body, name: value - 1})
    assert minimum or name == "seed"


REFUSAL = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot say."}]}
QUESTION = {"role": "user", "content": "why?"}


def test_a_refusal_is_what_the_assistant_said() -> None:
    chat = ChatRequest.model_validate({"model": "m", "messages": [QUESTION, REFUSAL, QUESTION]})
    chat.check_supported()
    assert chat.messages[1].text == "I cannot say."
    response = ResponseRequest.model_validate({"model": "m", "input": [QUESTION, REFUSAL, QUESTION]})
    assert response.messages()[1].text == "I cannot say."


@pytest.mark.parametrize(
    ("tools", "searches"), [([{"type": "file_search"}], 1), ([{"type": "web_search"}], 0), ([], 0), (None, 1)]
)
def test_only_allowed_tools_are_used(tools: list[dict[str, str]] | None, searches: int) -> None:
    choice = {"type": "allowed_tools", "mode": "required", "tools": tools} if tools is not None else "required"
    tool = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    body = ResponseRequest.model_validate({"model": "m", "input": "why?", "tools": [tool], "tool_choice": choice})
    assert len(body.searches) == searches
    assert body.chosen == choice


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", "3"),
        ("top_k", 0),
        ("top_k", 1.5),
        ("rerank", 1),
        ("dense_weight", 1.1),
        ("min_score", float("nan")),
        ("mode", "words"),
        ("hops", 3),
        ("collection", "../x"),
        ("query", " "),
    ],
)
def test_invalid_values_are_rejected(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        RetrieveRequest.model_validate({"query": "q", name: value})
    assert [error["loc"][0] for error in caught.value.errors()] == [name]


async def test_every_error_is_documented_as_it_is_sent() -> None:
    async with in_process() as http:
        document = (await http.get("/openapi.json")).json()
    assert "HTTPValidationError" not in document["components"]["schemas"]  # FastAPI's, which is never sent
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                shape = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
                assert status[0] == "2" or shape.endswith(("/ErrorResponse", "/Readiness")), operation["operationId"]
