"""Choices that clients spell differently: any case, the names of other APIs, and an empty text for the default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from retriton_client import Role, Truncate
from retriton_pipeline.gateway.schemas.cohere import CohereEmbedRequest
from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.schemas.elasticsearch import TextEmbeddingRequest
from retriton_pipeline.gateway.schemas.embeddings import EmbeddingsRequest
from retriton_pipeline.gateway.schemas.playground import PlaygroundRequest
from retriton_pipeline.gateway.schemas.ranking import RankingRequest
from retriton_pipeline.gateway.schemas.synonyms import role_of
from retriton_pipeline.gateway.schemas.tei import EmbedRequest
from retriton_pipeline.gateway.schemas.vectors import VectorFormat
from tests.gateway.in_process import in_process
from tests.gateway.test_nulls import OPTIONAL, smallest


def embeddings(**fields: Any) -> EmbeddingsRequest:
    return EmbeddingsRequest.model_validate({"input": "a", **fields})


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("query", "query"),
        ("QUERY", "query"),
        ("search_query", "query"),
        ("Search", "query"),
        ("retrieval.query", "query"),
        ("passage", "passage"),
        ("Document", "passage"),
        ("search_document", "passage"),
        ("INGEST", "passage"),
        ("clustering", "passage"),
        ("", None),
        (None, None),
    ],
)
def test_the_names_of_all_apis_for_a_role_are_known_everywhere(name: str | None, role: Role | None) -> None:
    assert embeddings(input_type=name).role == embeddings(task=name).role == role
    assert role_of(EmbedRequest.model_validate({"inputs": "a", "prompt_name": name}).prompt_name) == role
    assert role_of(CohereEmbedRequest.model_validate({"texts": ["a"], "input_type": name}).input_type) == role
    for body in ({"input_type": name}, {"task_settings": {"input_type": name}}):
        assert TextEmbeddingRequest.model_validate({"input": "a", **body}).role == role


@pytest.mark.parametrize(
    ("truncate", "side"), [("end", "END"), ("Start", "START"), ("none", "NONE"), ("", None), (None, None)]
)
def test_truncate_may_be_in_any_case(truncate: str | None, side: Truncate | None) -> None:
    ranking = {"query": {"text": "q"}, "passages": [{"text": "a"}], "truncate": truncate}
    assert embeddings(truncate=truncate).side == side
    assert RankingRequest.model_validate(ranking).truncate == side
    assert PlaygroundRequest.model_validate({"input": "a", "model": "query", "truncate": truncate}).truncate == side
    assert CohereEmbedRequest.model_validate({"texts": ["a"], "truncate": truncate}).side == (side or "END")


@pytest.mark.parametrize(("direction", "side"), [("LEFT", "START"), ("Left", "START"), ("right", "END"), ("", "END")])
def test_a_direction_may_be_in_any_case(direction: str, side: Truncate) -> None:
    body = {"inputs": "a", "truncate": True, "truncation_direction": direction}
    assert EmbedRequest.model_validate(body).side == side


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, VectorFormat()),
        ({"encoding_format": ""}, VectorFormat()),
        ({"encoding_format": "FLOAT"}, VectorFormat()),
        ({"encoding_format": "Base64"}, VectorFormat(base64=True)),
        ({"embedding_type": "BASE64"}, VectorFormat(base64=True)),
        ({"output_dtype": "INT8"}, VectorFormat("int8")),
        ({"embedding_type": "uBinary", "output_dtype": ""}, VectorFormat("ubinary")),
    ],
)
def test_formats_may_be_in_any_case(fields: dict[str, str], written: VectorFormat) -> None:
    assert embeddings(**fields).written == written


def test_cohere_s_types_may_be_in_any_case() -> None:
    request = CohereEmbedRequest.model_validate({"texts": ["a"], "embedding_types": ["FLOAT", "uBinary"]})
    assert request.embedding_types == ["float", "ubinary"]


@pytest.mark.parametrize("fields", [{"truncate": "MIDDLE"}, {"input_type": "answer"}, {"encoding_format": "hex"}])
def test_other_choices_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        embeddings(**fields)


def test_the_openapi_document_allows_the_empty_choice() -> None:
    kinds = EmbeddingsRequest.model_json_schema()["properties"]["encoding_format"]["anyOf"]
    assert kinds == [{"enum": ["float", "base64", ""], "type": "string"}, {"type": "null"}]


@pytest.mark.parametrize("user", ["me", 5, {"id": 1}, None, [], ""])
def test_a_field_that_is_ignored_may_have_any_value(user: Any) -> None:
    assert embeddings(user=user).input == "a"


CHOICES = [
    (model, name, value)
    for model, name in OPTIONAL
    for kind in model.model_json_schema()["properties"][name]["anyOf"]
    for value in kind.get("enum", ())
    if isinstance(value, str)
]


@pytest.mark.parametrize(
    ("model", "name", "value"), CHOICES, ids=[f"{model.__name__}.{name}={value}" for model, name, value in CHOICES]
)
def test_every_optional_choice_may_be_in_any_case_or_empty(model: type[RequestBody], name: str, value: str) -> None:
    schema = model.model_json_schema()
    body = smallest(schema, schema.get("$defs", {}))
    assert model.model_validate({**body, name: ""}) == model.model_validate(body)
    expected = model.model_validate({**body, name: value})
    assert model.model_validate({**body, name: value.upper()}) == expected
    assert model.model_validate({**body, name: value.title()}) == expected
    assert "" in [
        other for kind in schema["properties"][name]["anyOf"] for other in kind.get("enum", [kind.get("const")])
    ]


@pytest.mark.parametrize("query", ["order=", "order=ASC", "order=Desc", "after=&before=", "limit=", "limit=&order="])
async def test_an_order_may_be_in_any_case(tmp_path: Path, query: str) -> None:
    async with in_process(files=tmp_path) as http:
        store = (await http.post("/v1/vector_stores", json={})).json()["id"]
        files = f"/v1/vector_stores/{store}/files"
        paths = ("/v1/files", "/v1/vector_stores", files, f"{files}?filter=Completed", f"{files}?filter=")
        for path in paths:
            assert (await http.get(f"{path}{'&' if '?' in path else '?'}{query}")).status_code == 200, path
        assert (await http.get(f"{files}?order=up")).json()["error"]["param"] == "order"
        for path in paths[:3]:
            assert (await http.get(f"{path}?limit=0")).json()["error"]["param"] == "limit"
