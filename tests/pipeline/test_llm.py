"""The chat endpoint's failures, each as a real one over HTTP shows it."""

from __future__ import annotations

import pytest

from retriton_pipeline import llm as module
from retriton_pipeline.errors import LLMError
from retriton_pipeline.generation.llm import LLM
from tests.chat_endpoint import Behaviour, Says, chat_endpoint

BREAKS = Says(breaks=True)
EMPTY = Says(ends=False)
STALLS = Says(stalls_s=3)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)


def llm(url: str) -> LLM:
    return LLM(url, "m", timeout_s=1.0)


@pytest.mark.parametrize("failures", [[503], [429, 500], [BREAKS], [EMPTY], [STALLS]])
def test_before_the_first_piece_it_is_asked_again(failures: list[Behaviour]) -> None:
    with chat_endpoint(*failures, Says(("yes", "indeed"))) as endpoint:
        assert llm(endpoint.url).complete("?") == "yesindeed"
    assert len(endpoint.asked) == len(failures) + 1


def test_after_the_first_piece_never() -> None:
    with chat_endpoint(Says(("yes",), breaks=True), Says(("again",))) as endpoint:
        answer = llm(endpoint.url).stream("?")
        assert next(answer) == "yes"
        with pytest.raises(LLMError, match="broke off after the answer had begun"):
            list(answer)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(("status", "times"), [(401, 1), (404, 1), (400, 1), (503, 3)])
def test_what_is_refused_is_named(status: int, times: int) -> None:
    with chat_endpoint(status) as endpoint:
        with pytest.raises(LLMError, match=rf"127.0.0.1:\d+/v1 \(m\).*{status}"):
            llm(endpoint.url).complete("?")
    assert len(endpoint.asked) == times


def test_whoever_stops_listening_ends_the_answer() -> None:
    with chat_endpoint(Says(("on and on ",) * 600, gap_s=0.01)) as endpoint:
        answer = llm(endpoint.url).stream("?")
        assert next(answer) == "on and on "
        answer.close()  # type: ignore[attr-defined]
        assert endpoint.left.wait(3)


def test_an_answer_that_does_not_say_that_it_is_complete_is_not() -> None:
    with chat_endpoint(Says(("half an",), ends=False)) as endpoint:
        with pytest.raises(LLMError, match="without saying that it is complete"):
            llm(endpoint.url).complete("?")


def test_characters_in_halves_are_put_together() -> None:
    with chat_endpoint(Says(("a \ud83d", "\ude00 b", " \ud83d"))) as endpoint:
        assert llm(endpoint.url).complete("?") == "a \U0001f600 b \ufffd"


def test_pieces_that_are_no_text_are_an_error() -> None:
    with chat_endpoint(Says(("fine", ["odd"]))) as endpoint:
        with pytest.raises(LLMError, match="is no text"):
            llm(endpoint.url).complete("?")
