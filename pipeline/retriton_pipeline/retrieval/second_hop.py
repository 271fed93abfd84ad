"""Questions that need several documents, without an LLM: names in what was found are looked for, too.

The best of the first search stay where they are, so that a question that one document answers loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from retriton_pipeline.retrieval.fusion import with_score
from retriton_pipeline.retrieval.search import Search, with_more_words
from retriton_pipeline.store import ScoredChunk

_BRIDGES = 2  # hits whose names are looked for
_NAMES_MAX = 16
_KEPT = 3
_NAME = re.compile(r"\b(?:[^\W\d_a-z]\w+(?:[ -](?:(?:of|the|de|la|von|van)[ ])?[^\W\d_a-z]\w+)*|[12]\d{3}\b)")


def second_hop(search: Search, question: str, hits: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """The ranking ``hits`` after another search by words."""
    names = dict.fromkeys(name for hit in hits[:_BRIDGES] for name in _NAME.findall(f"{hit.context}. {hit.text}"))
    if not names:
        return list(hits)
    words = with_more_words(question, list(islice(names, _NAMES_MAX)))
    further = search.fused([list(hits)], search.words([words]))
    kept = {hit.key for hit in hits[:_KEPT]}
    below = hits[:_KEPT][-1].score / max(further[0].score, 1e-9)  # no later one scores more than the last that is kept
    rest = [with_score(hit, "fused", hit.score * below) for hit in further if hit.key not in kept]
    return [*hits[:_KEPT], *rest]
