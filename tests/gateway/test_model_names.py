"""Names of the embedding model, and the role that they give texts."""

from __future__ import annotations

import pytest

from retriton_client import EncoderInfo, Role
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.models import model_ids, resolve_role, served_llm
from retriton_pipeline.generation import LLM


def encoder(**prompts: str) -> EncoderInfo:
    return EncoderInfo("e5", "f", 4, 64, True, prompts, "fp32", "")


@pytest.mark.parametrize(
    ("model", "input_type", "default", "role"),
    [
        ("e5-query", None, None, "query"),
        ("e5-passage", "passage", None, "passage"),
        ("query", None, "passage", "query"),
        ("e5", "query", None, "query"),
        ("e5", None, "query", "query"),
        ("other", "query", None, "query"),
        ("other-passage", None, None, "passage"),
        ("intfloat/e5", "query", None, "query"),  # as on Hugging Face
        ("intfloat/e5-query", None, None, "query"),
        ("a/b", "passage", None, "passage"),  # a name of its own
        ("a/b-query", None, None, "query"),
        ("openai/intfloat/e5-query", None, None, "query"),  # as LiteLLM and OpenRouter name providers
        ("openai/a/b-passage", None, None, "passage"),
    ],
)
def test_the_role_comes_from_name_field_or_default(
    model: str, input_type: Role | None, default: Role | None, role: Role
) -> None:
    assert resolve_role(model, input_type, encoder(query="q: ", passage="p: "), ["other", "a/b"], default) == role


def test_without_prompts_the_role_may_be_missing() -> None:
    assert resolve_role("e5", None, encoder(), [], None) == "passage"


@pytest.mark.parametrize(
    ("model", "input_type", "code"),
    [
        ("gpt", None, "model_not_found"),
        ("gpt-query", None, "model_not_found"),
        ("intfloat/query", None, "model_not_found"),
        ("e5/gpt", None, "model_not_found"),
        ("e5", None, "input_type_missing"),
        ("e5-query", "passage", "invalid_request"),
    ],
)
def test_ambiguous_requests_are_rejected(model: str, input_type: Role | None, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        resolve_role(model, input_type, encoder(query="q: ", passage="p: "), [], None)
    assert caught.value.code == code


@pytest.mark.parametrize("model", ["meta/llama", "openai/meta/llama", "nvidia/openai/meta/llama"])
def test_the_llm_is_known_with_what_precedes_its_name(model: str) -> None:
    llm = LLM("http://127.0.0.1:9/v1", "meta/llama")
    assert served_llm(llm, model) is llm


@pytest.mark.parametrize(("model", "named"), [("llama", "meta/llama"), ("meta/llama/x", "meta/llama"), ("m", "no LLM")])
def test_another_llm_is_refused_with_the_name_of_the_served_one(model: str, named: str) -> None:
    llm = LLM("http://127.0.0.1:9/v1", "meta/llama") if named == "meta/llama" else None
    with pytest.raises(ApiError, match=named) as caught:
        served_llm(llm, model)
    assert caught.value.code == "model_not_found"


def test_every_name_has_both_suffixes() -> None:
    assert model_ids(encoder(), ["a"]) == ["e5", "e5-query", "e5-passage", "a", "a-query", "a-passage"]
