"""Questions rewritten by an LLM before they are searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval.options import Turn

QUESTIONS_MAX = 4
_CHARACTERS_MAX = 2000  # of a rewritten question; a longer answer is no question
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")
_TEMPLATES = Environment(  # noqa: S701  # text for a model, not HTML
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


async def standalone(llm: LLM, question: str, history: Sequence[Turn]) -> str:
    """The question with what it lacks from the conversation; unchanged if the LLM's answer is empty or too long."""
    prompt = _TEMPLATES.get_template("standalone.j2").render(question=question, history=history)
    rewritten = " ".join((await llm.complete(prompt)).split())
    return rewritten if 0 < len(rewritten) <= _CHARACTERS_MAX else question


async def decompose(llm: LLM, question: str) -> list[str]:
    """The question, and at most `QUESTIONS_MAX` simple questions that it consists of."""
    prompt = _TEMPLATES.get_template("decompose.j2").render(question=question, questions_max=QUESTIONS_MAX)
    lines = [_BULLET.sub("", line).strip() for line in (await llm.complete(prompt)).splitlines()]
    simple = [line for line in lines if 0 < len(line) <= _CHARACTERS_MAX]
    return list(dict.fromkeys([question, *simple[:QUESTIONS_MAX]]))
