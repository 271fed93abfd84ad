"""Hits to passages: what says the same is dropped, what stands side by side is joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.retrieval.fusion import stretched
from retriton_pipeline.store import ScoredChunk

_CHUNKS_MAX = 4  # of a passage, without its neighbours


def without_duplicates(hits: Iterable[ScoredChunk]) -> list[ScoredChunk]:
    """Of hits with the same text, the first; white space and case do not count."""
    kept: dict[str, ScoredChunk] = {}
    for hit in hits:
        kept.setdefault(" ".join(hit.text.split()).casefold(), hit)
    return list(kept.values())


def diversified(
    hits: Sequence[ScoredChunk], vectors: NDArray[np.float32], top_k: int, diversity: float
) -> list[ScoredChunk]:
    """Maximal marginal relevance (Carbonell and Goldstein, 1998): the next hit is good, and unlike those before it.

    Args:
        hits: best first.
        vectors: of the hits, float32 ``[hits, dimension]``, of length one.
        top_k: how many to choose.
        diversity: from 0, the order as it is, to 1, only unlikeness.
    """
    relevance = stretched(hits)
    likeness = np.zeros(len(hits))
    left = set(range(len(hits)))
    chosen: list[ScoredChunk] = []
    while left and len(chosen) < top_k:
        best = max(sorted(left), key=lambda n: (1 - diversity) * relevance[n] - diversity * likeness[n])
        left.remove(best)
        chosen.append(hits[best])
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen


def grouped(hits: Iterable[ScoredChunk], top_k: int) -> list[list[ScoredChunk]]:
    """The chunks of the first ``top_k`` passages: those that follow each other on a page belong together.

    A passage stands where its best chunk, its first one here, stood. It has no more than `_CHUNKS_MAX` chunks, so
    that a document that is found again and again does not become one passage.
    """
    passages: list[list[ScoredChunk]] = []
    for hit in hits:
        adjacent = [group for group in passages if any(_side_by_side(hit, member) for member in group)]
        if adjacent and len(adjacent[0]) < _CHUNKS_MAX:
            adjacent[0].append(hit)
            for other in adjacent[1:]:  # the hit closes the gap between them
                if len(adjacent[0]) + len(other) <= _CHUNKS_MAX:
                    adjacent[0].extend(other)
                    passages.remove(other)
        elif len(passages) < top_k:
            passages.append([hit])
        else:
            break
    return passages


def extended(
    passages: Sequence[list[ScoredChunk]], neighbours: Sequence[ScoredChunk], distance: int
) -> list[list[ScoredChunk]]:
    """Passages with the chunks of the same page that are up to ``distance`` away from one of theirs."""
    taken = {hit.key for group in passages for hit in group}
    near = {hit.key: hit for hit in neighbours if hit.key not in taken}
    longer = []
    for group in passages:
        mine = [hit for hit in near.values() if any(_same_page(hit, m) and _gap(hit, m) <= distance for m in group)]
        longer.append([*group, *mine])
        for hit in mine:
            del near[hit.key]
    return longer


def joined(group: Sequence[ScoredChunk]) -> ScoredChunk:
    """One passage of chunks that follow each other; its score and context are those of the first, the best one."""
    best = group[0]
    members = sorted(group, key=lambda hit: hit.chunk_index)
    while members[0] is not best and not _follows_on(members, best):
        members.pop(0)  # a chunk between was not found: what is cut off from the best one is left out
    run = [members[0]]
    for member in members[1:]:
        if member.chunk_index != run[-1].chunk_index + 1:
            break
        run.append(member)
    text = run[0].text + "".join(f"{hit.separator}{hit.text[hit.overlap :]}" for hit in run[1:])
    return replace(best, chunk_index=run[0].chunk_index, text=text, best_chunk=best.text)


def _follows_on(members: Sequence[ScoredChunk], best: ScoredChunk) -> bool:
    """Whether there is no gap between the first of ``members`` and ``best``."""
    indexes = {hit.chunk_index for hit in members}
    return all(index in indexes for index in range(members[0].chunk_index, best.chunk_index))


def _side_by_side(one: ScoredChunk, other: ScoredChunk) -> bool:
    return _same_page(one, other) and _gap(one, other) == 1


def _same_page(one: ScoredChunk, other: ScoredChunk) -> bool:
    return (one.document_id, one.content, one.page) == (other.document_id, other.content, other.page)


def _gap(one: ScoredChunk, other: ScoredChunk) -> int:
    return abs(one.chunk_index - other.chunk_index)
