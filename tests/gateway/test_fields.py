"""Errors name the field of the request that is wrong, in the words of its API."""

from __future__ import annotations

from typing import Any

import pytest

from retriton_client import DeadlineExceeded, InvalidRequest, TextTooLong, WrongEncoder
from retriton_pipeline.errors import InvalidFilter, NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.fields import Fields, named, named_filter, named_search
from tests.gateway.conftest import Gateway, error

FIELDS = Fields(texts="documents", query="question")


def invalid(message: str, code: str = "", **numbers: int | float) -> InvalidRequest:
    found = InvalidRequest(message)
    found.code, found.numbers = code, numbers
    return found


def too_long() -> TextTooLong:
    found = TextTooLong("text 1 has 402 tokens", 1, 402, 256)
    found.numbers = {"index": 1}
    return found


@pytest.mark.parametrize(
    ("raised", "code", "param"),
    [
        (too_long(), "text_too_long", "documents"),
        (invalid("text 3 has 2000000 bytes", "TEXT_TOO_LARGE", index=3), "invalid_request", "documents"),
        (invalid("the query has 300 tokens", "QUERY_TOO_LONG"), "invalid_request", "question"),
    ],
)
def test_what_the_server_says_of_a_text_is_said_of_its_field(raised: InvalidRequest, code: str, param: str) -> None:
    with pytest.raises(ApiError) as caught, named(FIELDS):
        raise raised
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, code, param)
    assert caught.value.message == str(raised)


@pytest.mark.parametrize("raised", [WrongEncoder("x"), DeadlineExceeded("x"), invalid("another")])
def test_other_errors_are_what_they_were(raised: Exception) -> None:
    with pytest.raises(type(raised)), named(FIELDS):
        raise raised


def test_a_filter_is_named_as_the_route_calls_it() -> None:
    with pytest.raises(ApiError) as caught, named_filter("retrieval.filter"):
        raise InvalidFilter("wrong")
    assert (caught.value.status, caught.value.param, caught.value.message) == (400, "retrieval.filter", "wrong")


LONG = "x " * 100


@pytest.mark.triton
@pytest.mark.milvus
@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/embeddings", {"input": [LONG], "input_type": "query"}, "input"),
        ("/embed", {"inputs": LONG, "prompt_name": "query"}, "inputs"),
        ("/v2/embed", {"texts": [LONG], "input_type": "search_query", "truncate": "NONE"}, "texts"),
        ("/v1/ranking", {"query": {"text": "q"}, "passages": [{"text": LONG}]}, "passages"),
        ("/rerank", {"query": "q", "texts": [LONG]}, "texts"),
        ("/v1/rerank", {"query": "q", "documents": [LONG], "truncation": False}, "documents"),
        ("/v1/rerank", {"query": LONG * 9, "documents": ["a"]}, "query"),
        ("/v1/embeddings", {"input": "a", "input_type": "query", "dimensions": 33}, "dimensions"),
        ("/v1/embeddings", {"input": "a", "input_type": "query", "output_dimension": 33}, "output_dimension"),
        ("/v2/embed", {"texts": ["a"], "input_type": "search_query", "output_dimension": 33}, "output_dimension"),
        ("/embed", {"inputs": "a", "prompt_name": "query", "dimensions": 33}, "dimensions"),
    ],
)
def test_the_field_is_that_of_each_route(tiny: Gateway, path: str, body: dict[str, Any], param: str) -> None:
    with tiny.client() as http:
        answer = http.post(path, json=body)
    assert answer.status_code == 400, answer.text
    assert error(answer)["param"] == param


@pytest.mark.triton
@pytest.mark.milvus
@pytest.mark.parametrize("model", [{}, {"model": None}, {"model": ""}, {"model": "tiny"}])
def test_the_model_may_be_left_out_and_is_named_in_the_response(tiny: Gateway, model: dict[str, Any]) -> None:
    with tiny.client() as http:
        found = http.post("/v1/embeddings", json={"input": "a", "input_type": "query", **model}).json()
    assert found["model"] == "tiny"


@pytest.mark.parametrize(
    ("prefix", "raised", "param"),
    [
        ("", InvalidFilter("x"), "filter"),
        ("retrieval.", InvalidFilter("x"), "retrieval.filter"),
        ("", NoSuchCollection("x"), "collection"),
        ("retrieval.", NoSuchCollection("x"), "retrieval.collection"),
    ],
)
def test_what_is_wrong_with_a_search_is_called_as_in_the_request(prefix: str, raised: Exception, param: str) -> None:
    with pytest.raises(ApiError) as error, named_search(prefix):
        raise raised
    assert error.value.param == param
