"""Passages and a question to one prompt, within a token budget."""

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
from retriton_pipeline.store import ScoredChunk

T = TypeVar("T")
_CITATION = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_UNSEEN = r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*"  # between the letters of a tag, a model may not see them
_PASSAGE_TAG = re.compile(f"[<\u2039\ufe64\uff1c](?={_UNSEEN}/?{_UNSEEN}{_UNSEEN.join('passage')})", re.IGNORECASE)
DEFAULT_TEMPLATE = Path(__file__).parent / "templates" / "answer.j2"


@dataclass(frozen=True)
class QuotedPassage:
    """What a template sees of a passage; it cannot end the quotation it stands in.

    Attributes:
        number: for citations, from 1, best first.
        source, page, text: of the passage.
        section: title and headings above it, one line.
        score: of the search.
    """

    number: int
    source: str
    page: int | None
    section: str
    text: str
    score: float


@dataclass(frozen=True)
class Prompt:
    """The text for the LLM, and the passages that found room in it, in the order of their numbers."""

    text: str
    hits: list[ScoredChunk]

    def cited(self, answer: str) -> list[int]:
        """The numbers of passages that ``answer`` cites, as [1] or [1, 2], each once; others are left out."""
        numbers = [int(number) for group in _CITATION.findall(answer) for number in group.split(",")]
        return [number for number in dict.fromkeys(numbers) if 1 <= number <= len(self.hits)]


class PromptBuilder:
    """Fills a template.

    Args:
        count_tokens: how the budget is counted.
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

    def build(self, question: str, hits: Sequence[ScoredChunk], history: Sequence[Turn] = ()) -> Prompt:
        """The prompt with the best passages that fit.

        Of a passage that does not fit, the best chunk is taken; if that does not fit either, it is left out.

        Of the conversation, the last turns that fit into a quarter of the budget are kept.

        Raises:
            PipelineError: not even the question fits.
        """
        turns = self._recent(history)
        kept: list[ScoredChunk] = []
        text = self._render(question, kept, turns)
        if (tokens := self._count_tokens(text)) > self._tokens_max:
            raise PipelineError(
                f"the prompt without passages has {tokens} tokens, the budget is {self._tokens_max}: "
                "raise --prompt-tokens"
            )
        for hit in hits:
            for version in (hit, replace(hit, text=hit.best_chunk)) if hit.best_chunk else (hit,):
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

    def _render(self, question: str, hits: Sequence[ScoredChunk], history: Sequence[Turn]) -> str:
        passages = [
            QuotedPassage(
                number, _quote_name(hit.source), hit.page, _quote_name(hit.context), _quote(hit.text), hit.score
            )
            for number, hit in enumerate(hits, start=1)
        ]
        try:
            return self._template.render(question=question, passages=at_the_edges(passages), history=history)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise PipelineError(f"the prompt template failed: {error}") from error


def at_the_edges(ranked: Sequence[T]) -> list[T]:
    """The best first, the second best last, and so on inwards: models overlook what stands in the middle.

    Liu et al., 2023: Lost in the Middle.
    """
    return [*ranked[::2], *reversed(ranked[1::2])]


def _load(file: Path) -> Template:
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"the prompt template {file} cannot be read: {error}") from error
    except TemplateError as error:
        raise PipelineError(f"the prompt template {file} is malformed: {error}") from error


def _quote_name(name: str) -> str:
    """A file name as an attribute: on one line, and without the quotation mark that ends it."""
    return _quote(" ".join(name.split()).replace('"', "'"))


def _quote(text: str) -> str:
    """Text that cannot close or open a passage: its tags lose their bracket."""
    return _PASSAGE_TAG.sub("&lt;", text)
