"""Search and ingest options are declared once; keyword arguments and errors follow from the declaration."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

import pytest

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.ingest import IngestKeywords, IngestOptions
from retriton_pipeline.retrieval import SearchKeywords, SearchOptions


def test_search_keywords_are_the_fields_of_the_options() -> None:
    assert get_type_hints(SearchKeywords) == {
        name: get_type_hints(SearchOptions)[name] for name in SearchOptions.model_fields
    }


def test_ingest_keywords_are_the_fields_of_the_options() -> None:
    assert set(get_type_hints(IngestKeywords)) == {field.name for field in fields(IngestOptions)}


def test_every_search_option_has_a_default_and_a_description() -> None:
    assert SearchOptions() == SearchOptions.of()
    assert all(field.description for field in SearchOptions.model_fields.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "sparse"}, "mode is 'sparse': input should be 'auto', 'dense', 'bm25' or 'hybrid'"),
        ({"candidates": 5000}, "candidates is 5000: input should be less than or equal to 1024"),
        ({"top_k": 0}, "top_k is 0: input should be greater than or equal to 1"),
        ({"hops": 3}, "hops is 3: input should be 1 or 2"),
        ({"topk": 3}, "there is no search option 'topk'; there are top_k, mode"),
    ],
)
def test_invalid_options_are_reported_with_their_values(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        SearchOptions.of(**options)
