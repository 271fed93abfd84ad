"""From ranked chunks to passages: neighbouring chunks are joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.retrieval.fusion import min_max_scaled
from retriton_pipeline.retrieval.passage import Passage
from retriton_pipeline.retrieval.ranking import ScoredChunk

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
    relevance = min_max_scaled([chunk.score for chunk in chunks])
    similarity = np.zeros(len(chunks))
    left = set(range(len(chunks)))
    selected: list[ScoredChunk] = []
    while left and len(selected) < top_k:
        best = max(sorted(left), key=lambda n: (1 - diversity) * relevance[n] - diversity * similarity[n])
        left.remove(best)
        selected.append(chunks[best])
        similarity = np.maximum(similarity, vectors @ vectors[best])
    return selected


class Groups:
    """The chunks of the first ``top_k`` passages; adjacent chunks of a page form one group.

    A group has the rank of its best chunk, which is its first element. It has at most `_CHUNKS_MAX` chunks, so that a
    document with many hits does not become a single passage.

    Attributes:
        chunks: the chunks of each group.
    """

    def __init__(self, top_k: int) -> None:
        self._top_k = top_k
        self.chunks: list[list[ScoredChunk]] = []

    def add(self, chunk: ScoredChunk) -> bool:
        """Adds the next best chunk. False: there is no room for it, nor for any later one."""
        adjacent = [group for group in self.chunks if any(_adjacent(chunk, member) for member in group)]
        if adjacent and len(adjacent[0]) < _CHUNKS_MAX:
            adjacent[0].append(chunk)
            for other in adjacent[1:]:  # the chunk closes the gap between two groups
                if len(adjacent[0]) + len(other) <= _CHUNKS_MAX:
                    adjacent[0].extend(other)
                    self.chunks.remove(other)
            return True
        if len(self.chunks) >= self._top_k:
            return False
        self.chunks.append([chunk])
        return True


def extended(
    groups: Sequence[list[ScoredChunk]], neighbours: Sequence[ScoredChunk], distance: int
) -> list[list[ScoredChunk]]:
    """Groups with the neighbours on the same page that are at most ``distance`` from one of their chunks."""
    taken = {chunk.key for group in groups for chunk in group}
    near = {chunk.key: chunk for chunk in neighbours if chunk.key not in taken}
    longer = []
    for group in groups:
        added = [n for n in near.values() if any(_same_page(n, m) and _gap(n, m) <= distance for m in group)]
        longer.append([*group, *added])
        for chunk in added:
            del near[chunk.key]
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


def _adjacent(one: ScoredChunk, other: ScoredChunk) -> bool:
    return _same_page(one, other) and _gap(one, other) == 1


def _same_page(one: ScoredChunk, other: ScoredChunk) -> bool:
    return (one.document_id, one.content_hash, one.page) == (other.document_id, other.content_hash, other.page)


def _gap(one: ScoredChunk, other: ScoredChunk) -> int:
    return abs(one.chunk_index - other.chunk_index)
