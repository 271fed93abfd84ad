"""What an LLM makes of a question before it is searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval.options import Turn

QUESTIONS_MAX = 4
_CHARACTERS_MAX = 2000  # of a rewritten question: a model that rambles is not searched
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")
_TEMPLATES = Environment(  # noqa: S701  # text for a model, not HTML
    loader=FileSystemLoader(Path(__file__).parent.parent / "generation" / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def standalone(llm: LLM, question: str, history: Sequence[Turn]) -> str:
    """The question with what the conversation adds to it; itself, where the answer is of no use."""
    prompt = _TEMPLATES.get_template("standalone.j2").render(question=question, history=history)
    rewritten = " ".join(llm.complete(prompt).split())
    return rewritten if 0 < len(rewritten) <= _CHARACTERS_MAX else question


def decompose(llm: LLM, question: str) -> list[str]:
    """The question, and the simple ones that it consists of; at most `QUESTIONS_MAX` more."""
    prompt = _TEMPLATES.get_template("decompose.j2").render(question=question, questions_max=QUESTIONS_MAX)
    lines = [_BULLET.sub("", line).strip() for line in llm.complete(prompt).splitlines()]
    simple = [line for line in lines if 0 < len(line) <= _CHARACTERS_MAX]
    return list(dict.fromkeys([question, *simple[:QUESTIONS_MAX]]))
