"""From ranked chunks to passages: neighbouring chunks are joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.retrieval.fusion import min_max_scaled
from retriton_pipeline.retrieval.passage import Passage
from retriton_pipeline.retrieval.ranking import ScoredChunk

_Place = tuple[str, str, int | None, int]
_CHUNKS_MAX = 4  # of a passage, neighbours not counted


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
    relevance = np.array(min_max_scaled([chunk.score for chunk in chunks]))
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


class Groups:
    """The chunks of the first ``top_k`` passages; adjacent chunks of a page form one group.

    A group has the rank of its best chunk, which is its first element. It has at most `_CHUNKS_MAX` chunks, so that a
    document with many hits does not become a single passage.
    """

    def __init__(self, top_k: int) -> None:
        self._top_k = top_k
        self._groups: dict[int, list[ScoredChunk]] = {}
        self._group_of: dict[_Place, int] = {}
        self._added = 0

    @property
    def chunks(self) -> list[list[ScoredChunk]]:
        """The chunks of each group, best group first."""
        return list(self._groups.values())

    def add(self, chunk: ScoredChunk) -> bool:
        """Adds the next best chunk. False: there is no room for it, nor for any later one."""
        adjacent = sorted({self._group_of[place] for place in _around(chunk, 1) if place in self._group_of})
        if adjacent and len(self._groups[adjacent[0]]) < _CHUNKS_MAX:
            self._group_of[_place(chunk)] = adjacent[0]
            self._groups[adjacent[0]].append(chunk)
            for other in adjacent[1:]:  # the chunk closes the gap between two groups
                if len(self._groups[adjacent[0]]) + len(self._groups[other]) <= _CHUNKS_MAX:
                    self._group_of |= {_place(member): adjacent[0] for member in self._groups[other]}
                    self._groups[adjacent[0]].extend(self._groups.pop(other))
            return True
        if len(self._groups) >= self._top_k:
            return False
        self._added += 1
        self._group_of[_place(chunk)] = self._added
        self._groups[self._added] = [chunk]
        return True


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


def extended_and_joined(
    neighbours: Sequence[ScoredChunk], groups: Sequence[list[ScoredChunk]], distance: int
) -> list[Passage]:
    """One passage for each group and its neighbours."""
    return [joined(group) for group in extended(groups, neighbours, distance)]


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
