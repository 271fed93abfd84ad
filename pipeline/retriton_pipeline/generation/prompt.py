"""Builds the prompt: a question and its passages, within a token budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.generation.quoting import quote, quote_name
from retriton_pipeline.retrieval.options import Turn
from retriton_pipeline.retrieval.passage import Passage

T = TypeVar("T")
_CITATION = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_CHARACTERS_PER_TOKEN_MAX = 16  # of a prompt: white space and unknown characters may have no tokens
_SLACK_TOKENS = 16  # by which a text may have fewer tokens within a prompt than alone
DEFAULT_TEMPLATE = Path(__file__).parent / "templates" / "answer.j2"


@dataclass(frozen=True)
class QuotedPassage:
    """A passage as templates see it; its text cannot close the quotation around it.

    Attributes:
        number: for citations, from 1, best first.
        source, page, text, score: of the passage.
        section: title and headings above it, one line.
    """

    number: int
    source: str
    page: int | None
    section: str
    text: str
    score: float


@dataclass(frozen=True)
class Citation:
    """A citation in an answer: the number of the passage, from 1, and the place of its bracket in the text, from 0."""

    number: int
    place: int


@dataclass(frozen=True)
class Prompt:
    """The text for the LLM, and the passages in it, in the order of their numbers."""

    text: str
    passages: list[Passage]

    def cited(self, answer: str) -> list[int]:
        """Numbers of the passages that ``answer`` cites, as [1] or [1, 2], each once; unknown ones are ignored."""
        return list(dict.fromkeys(citation.number for citation in self.citations(answer)))

    def citations(self, answer: str) -> list[Citation]:
        """All citations in ``answer``, in their order; those of unknown passages are left out."""
        return [
            Citation(int(number), group.start())
            for group in _CITATION.finditer(answer)
            for number in group[1].split(",")
            if 1 <= int(number) <= len(self.passages)
        ]


class PromptBuilder:
    """Renders a prompt template.

    Args:
        count_tokens: counts the tokens of a text.
        tokens_max: the budget of the whole prompt.
        template: a Jinja file with ``question``, ``passages`` (see `QuotedPassage`) and ``history`` (`Turn`).

    Raises:
        PipelineError: the template is missing or malformed.
    """

    def __init__(
        self, count_tokens: Callable[[str], int], tokens_max: int = 2048, template: Path = DEFAULT_TEMPLATE
    ) -> None:
        self._count_tokens = count_tokens
        self._tokens_max = tokens_max
        self._characters_max = _CHARACTERS_PER_TOKEN_MAX * tokens_max
        self._template = _load(template)

    def build(
        self,
        question: str,
        passages: Sequence[Passage],
        history: Sequence[Turn] = (),
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Prompt:
        """The prompt with the best passages that fit.

        A passage that does not fit is reduced to its best chunk, or left out. The last turns of the conversation that
        fit into a quarter of the budget are included. The prompt has at most 16 characters for each token of the
        budget.

        Args:
            question: as it was asked.
            passages: best first.
            history: the conversation before it, oldest first.
            is_cancelled: asked before each passage; the prompt is not completed once it returns true.

        Raises:
            PipelineError: the question alone exceeds the budget.
        """
        turns = self._recent(history)
        kept: list[Passage] = []
        quoted: list[QuotedPassage] = []
        text = self._render(question, quoted, turns)
        tokens = self._count_tokens(text)
        if tokens > self._tokens_max:
            raise PipelineError(
                f"the prompt without passages has {tokens} tokens, the budget is {self._tokens_max}: "
                "raise --prompt-tokens"
            )
        if whole := self._whole(question, passages, turns, len(text), is_cancelled):
            return whole
        for passage in passages:
            if is_cancelled():
                break
            for version in _versions(passage):
                if not self._may_fit(version.text, tokens, len(text)):
                    continue
                candidate = _quoted(len(kept) + 1, version)
                longer = self._render(question, [*quoted, candidate], turns)
                if len(longer) <= self._characters_max and (more := self._count_tokens(longer)) <= self._tokens_max:
                    kept.append(version)
                    quoted.append(candidate)
                    text, tokens = longer, more
                    break
        return Prompt(text, kept)

    def _whole(
        self,
        question: str,
        passages: Sequence[Passage],
        history: Sequence[Turn],
        characters: int,
        is_cancelled: Callable[[], bool],
    ) -> Prompt | None:
        """The prompt with all passages, if they fit, as they usually do: its tokens are counted only once."""
        if characters + sum(len(passage.text) for passage in passages) > self._characters_max:
            return None
        quoted: list[QuotedPassage] = []
        for number, passage in enumerate(passages, 1):
            if is_cancelled():
                return None
            quoted.append(_quoted(number, passage))
        text = self._render(question, quoted, history)
        if len(text) > self._characters_max or self._count_tokens(text) > self._tokens_max:
            return None
        return Prompt(text, list(passages))

    def _may_fit(self, text: str, tokens: int, characters: int) -> bool:
        """Whether ``text`` may fit into a prompt that has so many tokens and characters; cheaper than rendering it."""
        if len(text) > self._characters_max - characters:
            return False
        return self._count_tokens(text) <= self._tokens_max - tokens + _SLACK_TOKENS

    def _recent(self, history: Sequence[Turn]) -> list[Turn]:
        left = self._tokens_max // 4
        kept: list[Turn] = []
        for turn in reversed(history):
            left -= self._count_tokens(f"{turn.role}: {turn.text}")
            if left < 0:
                break
            kept.insert(0, Turn(quote(turn.role), quote(turn.text)))
        return kept

    def _render(self, question: str, quoted: Sequence[QuotedPassage], history: Sequence[Turn]) -> str:
        try:
            return self._template.render(question=quote(question), passages=best_at_the_edges(quoted), history=history)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise PipelineError(f"the prompt template failed: {error}") from error


def best_at_the_edges(ranked: Sequence[T]) -> list[T]:
    """The best first, the second best last, and so on inwards: models overlook the middle of a long prompt.

    Liu et al., 2023: Lost in the Middle.
    """
    return [*ranked[::2], *reversed(ranked[1::2])]


def _versions(passage: Passage) -> tuple[Passage, ...]:
    """The passage, and its best chunk alone."""
    return (passage, replace(passage, text=passage.best_chunk)) if passage.best_chunk else (passage,)


def _quoted(number: int, passage: Passage) -> QuotedPassage:
    return QuotedPassage(
        number=number,
        source=quote_name(passage.source),
        page=passage.page,
        section=quote_name(passage.context),
        text=quote(passage.text),
        score=passage.score,
    )


def _load(file: Path) -> Template:
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"the prompt template {file} cannot be read: {error}") from error
    except TemplateError as error:
        raise PipelineError(f"the prompt template {file} is malformed: {error}") from error
