"""Documents to rank: texts, objects of several fields, and what is returned of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.ranking import DocumentsRequest, RerankRequest, TextsRequest, VoyageRequest
from tests.gateway.conftest import Gateway

SHAPES: TypeAdapter[Any] = TypeAdapter(RerankRequest)
ARTICLE = {"title": "Lanes", "text": "There are two.", "year": 2026, "draft": False}


def documents(*items: Any, **fields: Any) -> DocumentsRequest:
    return DocumentsRequest.model_validate({"query": "q", "documents": list(items), **fields})


def test_of_objects_the_fields_are_ranked_that_the_request_names() -> None:
    assert documents(ARTICLE, "plain").texts == ["There are two.", "plain"]
    assert documents(ARTICLE, rank_fields=["title", "text"]).texts == ["Lanes\nThere are two."]
    assert documents({"year": 2026}, rank_fields=["year", "title"]).texts == ["2026"]
    assert documents(ARTICLE, rank_fields=None).texts == documents(ARTICLE, rank_fields=[]).texts


def test_documents_are_returned_as_they_were_sent() -> None:
    assert documents(ARTICLE, "plain").objects == [ARTICLE, {"text": "plain"}]
    assert documents({"title": "only"}, rank_fields=["title"]).objects == [{"title": "only"}]


@pytest.mark.parametrize(
    ("items", "fields", "param"),
    [
        (["a", {"title": "b"}], {}, "documents.1.text"),
        ([{"text": None}], {}, "documents.0.text"),
        ([{"text": "a"}, {"text": "b"}], {"rank_fields": ["body"]}, "documents.0.body"),
        ([{"body": " "}], {"rank_fields": ["body"]}, "documents.0.body"),
    ],
)
def test_a_document_without_such_a_field_is_named(items: list[Any], fields: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as caught:
        _ = documents(*items, **fields).texts
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"texts": ["a"]}, TextsRequest),
        ({"texts": ["a"], "documents": None}, TextsRequest),
        ({"texts": None, "documents": ["a"]}, DocumentsRequest),
        ({"documents": ["a"], "top_n": 1, "top_k": 1}, DocumentsRequest),
        ({"documents": ["a"], "top_k": None}, VoyageRequest),
        ({"documents": ["a"], "truncation": True}, VoyageRequest),
    ],
)
def test_the_shape_is_that_of_the_fields_that_have_a_value(fields: dict[str, Any], shape: type) -> None:
    assert type(SHAPES.validate_python({"query": "q", **fields})) is shape


@pytest.mark.triton
@pytest.mark.milvus
def test_rankings_have_what_clients_of_cohere_read(tiny: Gateway) -> None:
    asked = {"query": "q", "documents": [ARTICLE, "b"], "return_documents": True, "rank_fields": ["title", "text"]}
    with tiny.client() as http:
        found, again = (http.post(path, json=asked).json() for path in ("/v2/rerank", "/v1/rerank"))
        texts = http.post("/rerank", json=asked).json()
    tokens = found["usage"]["total_tokens"]
    assert found["meta"] == {
        "billed_units": {"search_units": 1},
        "tokens": {"input_tokens": tokens, "output_tokens": 0},
    }
    assert len({found["id"], again["id"], texts["id"]}) == 3
    assert {item["index"]: item["document"] for item in found["results"]} == {0: ARTICLE, 1: {"text": "b"}}
    assert {item["index"]: item["document"] for item in texts["results"]} == {0: "Lanes\nThere are two.", 1: "b"}
