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
from retriton_pipeline.retrieval.options import Turn
from retriton_pipeline.retrieval.passage import Passage

T = TypeVar("T")
_CITATION = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_UNSEEN = (
    r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*"  # a model may ignore these characters between the letters of a tag
)
_PASSAGE_TAG = re.compile(f"[<\u2039\ufe64\uff1c](?={_UNSEEN}/?{_UNSEEN}{_UNSEEN.join('passage')})", re.IGNORECASE)
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
class Prompt:
    """The text for the LLM, and the passages in it, in the order of their numbers."""

    text: str
    passages: list[Passage]

    def cited(self, answer: str) -> list[int]:
        """Numbers of the passages that ``answer`` cites, as [1] or [1, 2], each once; unknown ones are ignored."""
        numbers = [int(number) for group in _CITATION.findall(answer) for number in group.split(",")]
        return [number for number in dict.fromkeys(numbers) if 1 <= number <= len(self.passages)]


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
        self._template = _load(template)

    def build(self, question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()) -> Prompt:
        """The prompt with the best passages that fit.

        A passage that does not fit is reduced to its best chunk, or left out. The last turns of the conversation that
        fit into a quarter of the budget are included.

        Raises:
            PipelineError: the question alone exceeds the budget.
        """
        turns = self._recent(history)
        kept: list[Passage] = []
        text = self._render(question, kept, turns)
        if (tokens := self._count_tokens(text)) > self._tokens_max:
            raise PipelineError(
                f"the prompt without passages has {tokens} tokens, the budget is {self._tokens_max}: "
                "raise --prompt-tokens"
            )
        for passage in passages:
            for version in _versions(passage):
                longer = self._render(question, [*kept, version], turns)
                if self._count_tokens(longer) <= self._tokens_max:
                    kept.append(version)
                    text = longer
                    break
        return Prompt(text, kept)

    def _recent(self, history: Sequence[Turn]) -> list[Turn]:
        left = self._tokens_max // 4
        kept: list[Turn] = []
        for turn in reversed(history):
            left -= self._count_tokens(f"{turn.role}: {turn.text}")
            if left < 0:
                break
            kept.insert(0, Turn(_quote(turn.role), _quote(turn.text)))
        return kept

    def _render(self, question: str, passages: Sequence[Passage], history: Sequence[Turn]) -> str:
        quoted = [_quoted(number, passage) for number, passage in enumerate(passages, start=1)]
        try:
            return self._template.render(question=question, passages=best_at_the_edges(quoted), history=history)
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
        source=_quote_name(passage.source),
        page=passage.page,
        section=_quote_name(passage.context),
        text=_quote(passage.text),
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


def _quote_name(name: str) -> str:
    """A file name as an attribute value: on one line, without double quotes."""
    return _quote(" ".join(name.split()).replace('"', "'"))


def _quote(text: str) -> str:
    """Escapes the tags that open or close a passage."""
    return _PASSAGE_TAG.sub("&lt;", text)
