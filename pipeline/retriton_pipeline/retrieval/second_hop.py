"""Multi-hop questions without an LLM: a second BM25 search follows the names in the best passages.

The first results keep their places, so that a question that one document answers does not get worse.
"""

from __future__ import annotations

import re
from itertools import islice

from retriton_pipeline.retrieval.fusion import fuse, with_stage
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.retrieval.search import Search, expanded

_BRIDGES = 2  # results whose names are searched for
_NAMES_MAX = 16
_NAME_CHARACTERS_MAX = 200  # a longer one is no name
_KEPT = 3
_FIRST_WEIGHT = 0.6  # of the first search, merged with the second
_UPPER = "".join(filter(str.isupper, map(chr, range(0x10000))))  # `re` has no class for it
_CAPITALISED = rf"[{_UPPER}]\w+"
_NAME = re.compile(rf"\b(?:{_CAPITALISED}(?:[ -](?:(?:of|the|de|la|von|van)[ ])?{_CAPITALISED})*|[12]\d{{3}}\b)")


async def second_hop(search: Search, question: str, first: Ranking) -> Ranking:
    """The ranking ``first``, merged with that of the second search."""
    best = await search.chunks(first.ids()[:_BRIDGES])
    names = dict.fromkeys(name for chunk in best.values() for name in names_in(f"{chunk.context}. {chunk.text}"))
    if not names:
        return first
    query = expanded(question, list(islice(names, _NAMES_MAX)))
    (second,) = await search.bm25([query])
    merged = fuse([first, second], [_FIRST_WEIGHT, 1.0 - _FIRST_WEIGHT], search.options.fusion)
    return _after_the_first(first, merged)


def _after_the_first(first: Ranking, merged: Ranking) -> Ranking:
    """The best of ``first`` in their places, then ``merged``, scaled to score no more than they do."""
    kept = dict(islice(first.scores.items(), _KEPT))
    scale = list(kept.values())[-1] / max(next(iter(merged.scores.values())), 1e-9)
    rest = {key: score * scale for key, score in merged.scores.items() if key not in kept}
    later = with_stage("fused", rest, [merged])
    return Ranking({**kept, **rest}, lambda key: first.stages(key) if key in kept else later.stages(key))


def names_in(text: str) -> list[str]:
    """Capitalised words and their sequences, and years, in the order of the text."""
    return [name for name in _NAME.findall(text) if len(name) <= _NAME_CHARACTERS_MAX]
