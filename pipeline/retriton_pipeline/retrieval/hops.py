"""What was found helps to find more: questions that need several documents, without an LLM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from retriton_pipeline.retrieval.search import Search
from retriton_pipeline.store import Hit

_BRIDGES = 2  # hits whose names are looked for
_NAMES_MAX = 16
_KEPT = 3  # of the first round stay where they are
_NAME = re.compile(r"\b[^\W\d_a-z]\w+(?:[ -](?:(?:of|the|de|la|von|van)[ ])?[^\W\d_a-z]\w+)*")


def follow(search: Search, question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The ranking after another round, which looks for the names in the best hits beside the words of the question."""
    if not search.by_words:
        return list(hits)
    names = list(islice(_names(question, hits[:_BRIDGES]), _NAMES_MAX))
    if not names:
        return list(hits)
    further = search.fused([list(hits)], search.words([" ".join([question, question, *names])]))
    kept = {hit.key for hit in hits[:_KEPT]}
    return [*hits[:_KEPT], *(hit for hit in further if hit.key not in kept)]


def _names(question: str, hits: Sequence[Hit]) -> Iterator[str]:
    seen = set(_words(question))
    for hit in hits:
        for name in _NAME.findall(f"{hit.title}. {hit.text}"):
            if name.casefold() not in seen and not seen.issuperset(_words(name)):
                seen.add(name.casefold())
                yield name


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
