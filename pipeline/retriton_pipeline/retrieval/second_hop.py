"""Multi-hop questions without an LLM: a second BM25 search follows the names in the best passages.

The first results keep their places, so that a question that one document answers does not get worse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from retriton_pipeline.retrieval.fusion import with_score
from retriton_pipeline.retrieval.search import Search, expanded
from retriton_pipeline.store import ScoredChunk

_BRIDGES = 2  # results whose names are searched for
_NAMES_MAX = 16
_NAME_CHARACTERS_MAX = 200  # a longer one is no name
_KEPT = 3
_UPPER = "".join(filter(str.isupper, map(chr, range(0x10000))))  # `re` has no class for it
_CAPITALISED = rf"[{_UPPER}]\w+"
_NAME = re.compile(rf"\b(?:{_CAPITALISED}(?:[ -](?:(?:of|the|de|la|von|van)[ ])?{_CAPITALISED})*|[12]\d{{3}}\b)")


async def second_hop(search: Search, question: str, first: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """The ranking ``first``, merged with that of the second search."""
    names = dict.fromkeys(name for chunk in first[:_BRIDGES] for name in names_in(f"{chunk.context}. {chunk.text}"))
    if not names:
        return list(first)
    query = expanded(question, list(islice(names, _NAMES_MAX)))
    merged = search.fused([list(first)], await search.bm25([query]))
    kept = {chunk.key for chunk in first[:_KEPT]}
    scale = first[:_KEPT][-1].score / max(merged[0].score, 1e-9)  # no later chunk scores more than the last kept one
    rest = [with_score(chunk, "fused", chunk.score * scale) for chunk in merged if chunk.key not in kept]
    return [*first[:_KEPT], *rest]


def names_in(text: str) -> list[str]:
    """Capitalised words and their sequences, and years, in the order of the text."""
    return [name for name in _NAME.findall(text) if len(name) <= _NAME_CHARACTERS_MAX]
