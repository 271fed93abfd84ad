"""From ranked chunks to passages: duplicates are dropped, and neighbouring chunks joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.retrieval.fusion import min_max_scaled
from retriton_pipeline.retrieval.passage import Passage
from retriton_pipeline.store import ScoredChunk

_Place = tuple[str, str, int | None, int]
_CHUNKS_MAX = 4  # of a passage, neighbours not counted


def without_duplicates(chunks: Iterable[ScoredChunk]) -> list[ScoredChunk]:
    """The first of all chunks with the same text; case and white space are ignored."""
    kept: dict[str, ScoredChunk] = {}
    for chunk in chunks:
        kept.setdefault(" ".join(chunk.text.split()).casefold(), chunk)
    return list(kept.values())


def diversified(
    chunks: Sequence[ScoredChunk], vectors: NDArray[np.float32], top_k: int, diversity: float
) -> list[ScoredChunk]:
    """Orders by maximal marginal relevance (Carbonell and Goldstein, 1998): relevant, and unlike the chunks before.

    Args:
        chunks: best first.
        vectors: of the chunks, float32 ``[chunks, dimension]``, of unit length.
        top_k: how many chunks to select.
        diversity: from 0, which keeps the order, to 1, which ignores relevance.
    """
    relevance = np.array(min_max_scaled(chunks))
    similarity = np.zeros(len(chunks))
    left = np.ones(len(chunks), bool)
    selected: list[ScoredChunk] = []
    while len(selected) < min(top_k, len(chunks)):
        gain = (1 - diversity) * relevance - diversity * similarity
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        left[best] = False
        selected.append(chunks[best])
        similarity = np.maximum(similarity, vectors @ vectors[best])
    return selected


def grouped(chunks: Iterable[ScoredChunk], top_k: int) -> list[list[ScoredChunk]]:
    """The chunks of the first ``top_k`` passages; adjacent chunks of a page form one group.

    A group has the rank of its best chunk, which is its first element. It has at most `_CHUNKS_MAX` chunks, so that a
    document with many hits does not become a single passage.
    """
    groups: dict[int, list[ScoredChunk]] = {}
    group_of: dict[_Place, int] = {}
    for number, chunk in enumerate(chunks):
        adjacent = sorted({group_of[place] for place in _around(chunk, 1) if place in group_of})
        if adjacent and len(groups[adjacent[0]]) < _CHUNKS_MAX:
            group_of[_place(chunk)] = adjacent[0]
            groups[adjacent[0]].append(chunk)
            for other in adjacent[1:]:  # the chunk closes the gap between two groups
                if len(groups[adjacent[0]]) + len(groups[other]) <= _CHUNKS_MAX:
                    group_of |= {_place(member): adjacent[0] for member in groups[other]}
                    groups[adjacent[0]].extend(groups.pop(other))
        elif len(groups) < top_k:
            group_of[_place(chunk)] = number
            groups[number] = [chunk]
        else:
            break
    return list(groups.values())


def extended(
    groups: Sequence[list[ScoredChunk]], neighbours: Sequence[ScoredChunk], distance: int
) -> list[list[ScoredChunk]]:
    """Groups with the neighbours on the same page that are at most ``distance`` from one of their chunks."""
    taken = {chunk.key for group in groups for chunk in group}
    near = {_place(chunk): chunk for chunk in neighbours if chunk.key not in taken}
    longer = []
    for group in groups:
        places = dict.fromkeys(place for member in group for place in _around(member, distance))
        longer.append([*group, *(near.pop(place) for place in places if place in near)])
    return longer


def joined(group: Sequence[ScoredChunk]) -> Passage:
    """One passage of consecutive chunks; score, scores and context are those of the first chunk, the best."""
    best = group[0]
    run = _run_around(best, group)
    text = run[0].text + "".join(f"{chunk.separator}{chunk.text[chunk.overlap :]}" for chunk in run[1:])
    return Passage(
        source=best.source,
        title=best.title,
        context=best.context,
        page=best.page,
        chunk_index=run[0].chunk_index,
        text=text,
        score=best.score,
        scores=best.scores,
        document_id=best.document_id,
        metadata=best.metadata,
        best_chunk=best.text,
    )


def _run_around(best: ScoredChunk, group: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """The longest run of consecutive chunks of the group with ``best`` in it; the others are left out."""
    by_index = {chunk.chunk_index: chunk for chunk in group}
    first = last = best.chunk_index
    while first - 1 in by_index:
        first -= 1
    while last + 1 in by_index:
        last += 1
    return [by_index[index] for index in range(first, last + 1)]


def _place(chunk: ScoredChunk) -> _Place:
    return chunk.document_id, chunk.content_hash, chunk.page, chunk.chunk_index


def _around(chunk: ScoredChunk, distance: int) -> list[_Place]:
    """The places on the same page at most ``distance`` before or behind the chunk."""
    document, content, page, index = _place(chunk)
    return [(document, content, page, index + offset) for offset in range(-distance, distance + 1) if offset]
