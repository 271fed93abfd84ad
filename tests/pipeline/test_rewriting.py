from __future__ import annotations

import pytest

from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval import Turn
from retriton_pipeline.retrieval.rewriting import decompose, standalone

HISTORY = [Turn("user", "Who founded Milvus?"), Turn("assistant", "Zilliz.")]


class Scripted(LLM):
    """Returns a given answer, and records its prompts."""

    def __init__(self, answer: str) -> None:
        super().__init__("http://127.0.0.1:9/v1", "scripted")
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "asked", [])

    async def complete(self, prompt: str) -> str:
        self.asked.append(prompt)  # type: ignore[attr-defined]
        return self.answer  # type: ignore[attr-defined, no-any-return]


async def test_a_follow_up_is_rewritten_with_the_conversation() -> None:
    llm = Scripted(" When was\nZilliz founded? ")
    assert await standalone(llm, "When was it founded?", HISTORY) == "When was Zilliz founded?"
    assert "assistant: Zilliz." in llm.asked[0]  # type: ignore[attr-defined]
    assert "Last question: When was it founded?" in llm.asked[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("useless", ["", "  \n", "word " * 500])
async def test_a_useless_answer_leaves_the_question(useless: str) -> None:
    assert await standalone(Scripted(useless), "When?", HISTORY) == "When?"


async def test_a_question_is_decomposed() -> None:
    llm = Scripted("1. Who wrote A?\n- Who wrote B?\n\n* Who wrote A?\n4) C?\nD?\nE?")
    assert await decompose(llm, "Who wrote A and B?") == [
        "Who wrote A and B?",
        "Who wrote A?",
        "Who wrote B?",
        "C?",
    ]


async def test_a_simple_question_stays_one() -> None:
    assert await decompose(Scripted("Who wrote A?"), "Who wrote A?") == ["Who wrote A?"]
