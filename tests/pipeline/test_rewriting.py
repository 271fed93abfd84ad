from __future__ import annotations

import pytest

from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval import Turn
from retriton_pipeline.retrieval.rewriting import decompose, standalone

HISTORY = [Turn("user", "Who founded Milvus?"), Turn("assistant", "Zilliz.")]


class Scripted(LLM):
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: str) -> None:
        super().__init__("http://127.0.0.1:9/v1", "scripted")
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "asked", [])

    def complete(self, prompt: str) -> str:
        self.asked.append(prompt)  # type: ignore[attr-defined]
        return self.answer  # type: ignore[attr-defined, no-any-return]


def test_a_follow_up_is_rewritten_with_what_was_said() -> None:
    llm = Scripted(" When was\nZilliz founded? ")
    assert standalone(llm, "When was it founded?", HISTORY) == "When was Zilliz founded?"
    assert "assistant: Zilliz." in llm.asked[0]  # type: ignore[attr-defined]
    assert "Last question: When was it founded?" in llm.asked[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("useless", ["", "  \n", "word " * 500])
def test_an_answer_of_no_use_leaves_the_question(useless: str) -> None:
    assert standalone(Scripted(useless), "When?", HISTORY) == "When?"


def test_a_question_is_split_into_a_few() -> None:
    llm = Scripted("1. Who wrote A?\n- Who wrote B?\n\n* Who wrote A?\n4) C?\nD?\nE?")
    assert decompose(llm, "Who wrote A and B?") == [
        "Who wrote A and B?",
        "Who wrote A?",
        "Who wrote B?",
        "C?",
    ]


def test_a_simple_question_stays_one() -> None:
    assert decompose(Scripted("Who wrote A?"), "Who wrote A?") == ["Who wrote A?"]
