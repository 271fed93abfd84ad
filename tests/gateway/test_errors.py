"""Exceptions as error responses."""

from __future__ import annotations

import logging

import pytest

from retriton_client import Overloaded, TextTooLong, Unavailable, WrongEncoder
from retriton_pipeline.errors import InvalidFilter, LLMError, NoBm25Index, NoSuchCollection, StoreError
from retriton_pipeline.gateway.errors import ApiError, api_error

TOO_LONG = TextTooLong("TEXT_TOO_LONG: text 1 has 402 tokens, the encoder takes at most 256", 1, 402, 256)


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (ApiError(418, "teapot", "as it is"), 418, "teapot", "as it is"),
        (TOO_LONG, 400, "text_too_long", "text 1 has 402 tokens, the encoder takes at most 256"),
        (InvalidFilter("the filter is wrong"), 400, "invalid_request", "the filter is wrong"),
        (NoSuchCollection("x"), 404, "collection_not_found", "there is no such collection: upload documents first"),
        (NoBm25Index("x"), 400, "no_keyword_search", "the collection has no BM25 index: search with mode dense"),
        (WrongEncoder("x"), 503, "encoder_changed", "the encoder was replaced: try again"),
    ],
)
def test_errors_of_requests_are_explained(error: Exception, status: int, code: str, message: str) -> None:
    found = api_error(error)
    assert (found.status, found.code, found.message) == (status, code, message)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Overloaded("10.0.0.1 has a full queue"), 429, "overloaded"),
        (Unavailable("10.0.0.1 refused the connection"), 503, "unavailable"),
        (StoreError("10.0.0.1 failed"), 503, "store_unavailable"),
        (LLMError("10.0.0.1 failed"), 502, "llm_failed"),
        (TimeoutError("10.0.0.1"), 504, "deadline_exceeded"),
        (RuntimeError("10.0.0.1"), 500, "internal_error"),
    ],
)
def test_internal_causes_are_logged_and_not_reported(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = api_error(error)
    assert (found.status, found.code) == (status, code)
    assert "10.0.0.1" not in found.message
    assert "10.0.0.1" in caplog.text
