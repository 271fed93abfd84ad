"""What other LLM endpoints say, in the values that typed clients of OpenAI accept."""

from __future__ import annotations

from typing import Any

import pytest

from retriton_pipeline.gateway.services.llm_values import finish_reason, token_counts


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        ("STOP", "stop"),
        ("end_turn", "stop"),
        ("tool_calls", "stop"),
    ],
)
def test_reasons_are_those_of_openai(found: str, told: str) -> None:
    assert finish_reason(found) == told


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, (7, 3, 10)),
        ({"prompt_tokens": 7.0, "completion_tokens": 3}, (7, 3, 10)),
        ({"prompt_tokens": "many", "completion_tokens": 3}, (0, 3, 3)),
        ({"prompt_tokens": {"a": 1}, "completion_tokens": [], "total_tokens": 5}, (0, 0, 5)),
        ({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": float("inf")}, None),
        ({"prompt_tokens": float("nan")}, None),
        ({}, None),
        (None, None),
    ],
)
def test_counts_are_integers(usage: dict[str, Any] | None, counts: tuple[int, int, int] | None) -> None:
    found = token_counts(usage)
    assert (found and tuple(found.values())) == counts


def test_details_of_counts_are_kept() -> None:
    usage = {
        "prompt_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": 5,
        "cost": 1,
    }
    assert token_counts(usage) == {
        "prompt_tokens": 7,
        "completion_tokens": 0,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 2},
    }
