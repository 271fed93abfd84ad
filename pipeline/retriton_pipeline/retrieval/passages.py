"""Hits to passages: what says the same is dropped, what stands side by side is joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.store import Hit


def without_duplicates(hits: Iterable[Hit]) -> list[Hit]:
    """Of hits with the same text, the first; white space and case do not count."""
    kept: dict[str, Hit] = {}
    for hit in hits:
        kept.setdefault(" ".join(hit.text.split()).casefold(), hit)
    return list(kept.values())


def diversified(hits: Sequence[Hit], vectors: NDArray[np.float32], top_k: int, diversity: float) -> list[Hit]:
    """Maximal marginal relevance (Carbonell and Goldstein, 1998): the next hit is good, and unlike those before it.

    Args:
        hits: best first.
        vectors: of the hits, float32 ``[hits, dimension]``, of length one.
        top_k: how many to choose.
        diversity: from 0, the order as it is, to 1, only unlikeness.
    """
    scores = np.array([hit.score for hit in hits])
    relevance = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-9)
    likeness = np.zeros(len(hits))
    left = set(range(len(hits)))
    chosen: list[Hit] = []
    while left and len(chosen) < top_k:
        best = max(sorted(left), key=lambda n: (1 - diversity) * relevance[n] - diversity * likeness[n])
        left.remove(best)
        chosen.append(hits[best])
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen


def joined(hits: Iterable[Hit], top_k: int) -> list[Hit]:
    """The first ``top_k`` passages: chunks that follow each other on the same page of a document become one.

    A joined passage stands where its best chunk stood, and has its score.
    """
    passages: list[list[Hit]] = []
    for hit in hits:
        adjacent = [group for group in passages if any(_side_by_side(hit, member) for member in group)]
        if not adjacent and len(passages) == top_k:
            continue  # a later one may still belong to a passage
        first = adjacent[0] if adjacent else []
        first.append(hit)
        if not adjacent:
            passages.append(first)
        for other in adjacent[1:]:  # the hit closes the gap between them
            first += other
            passages.remove(other)
    return [_join(group) for group in passages]


def extended(hits: Sequence[Hit], neighbours: Sequence[Hit], distance: int) -> list[Hit]:
    """Every hit, followed by the neighbours of the same page, near ones first; `joined` makes one passage of them."""
    known = {hit.key for hit in hits}
    near = [hit for hit in neighbours if hit.key not in known]

    def around(hit: Hit) -> list[Hit]:
        beside = [other for other in near if _same_page(hit, other) and _gap(hit, other) <= distance]
        return sorted(beside, key=lambda other: _gap(hit, other))

    return [one for hit in hits for one in (hit, *around(hit))]


def _side_by_side(one: Hit, other: Hit) -> bool:
    return _same_page(one, other) and _gap(one, other) <= 1


def _same_page(one: Hit, other: Hit) -> bool:
    return (one.document_id, one.content, one.page) == (other.document_id, other.content, other.page)


def _gap(one: Hit, other: Hit) -> int:
    return abs(one.chunk_index - other.chunk_index)


def _join(group: list[Hit]) -> Hit:
    best = group[0]
    members = sorted({hit.chunk_index: hit for hit in group}.values(), key=lambda hit: hit.chunk_index)
    text = members[0].text
    for member in members[1:]:
        text = _append(text, member.text)
    return replace(best, chunk_index=members[0].chunk_index, context=members[0].context, text=text)


def _append(text: str, following: str) -> str:
    """Both texts, with the words that end the first and begin the second only once."""
    for size in range(min(len(text), len(following)), 0, -1):
        if text.endswith(following[:size]) and _at_words(text, -size) and _at_words(following, size):
            return text + following[size:]
    return f"{text}\n\n{following}"


def _at_words(text: str, place: int) -> bool:
    """Whether a word begins or ends at ``place``, counted as in slices."""
    around = text[:place][-1:], text[place:][:1]
    return not all(around) or any(side.isspace() for side in around)
