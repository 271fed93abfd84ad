"""From a ranking to the groups of chunks that become passages; chunks are fetched as far down as they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from retriton_pipeline.retrieval.offloading import CHARACTERS_INLINE_MAX, computed
from retriton_pipeline.retrieval.passages import Groups, diversified
from retriton_pipeline.retrieval.ranking import Ranking, ScoredChunk
from retriton_pipeline.retrieval.search import Search

_FIRST = 2  # chunks for each passage that are fetched at first


@dataclass(frozen=True)
class Selection:
    """The chunks of the passages.

    Attributes:
        groups: the chunks of each passage, best passage first.
        unique: number of different texts that were seen, at least as many as groups.
    """

    groups: list[list[ScoredChunk]]
    unique: int


async def select(ranking: Ranking, search: Search) -> Selection:
    """Selects the chunks of the best passages, as the options of ``search`` say. Duplicates are dropped."""
    options = search.options
    groups = Groups(options.top_k)
    candidates: list[ScoredChunk] = []
    unique = 0
    async with aclosing(_unique(ranking, search)) as chunks:
        async for chunk in chunks:
            unique += 1
            if options.min_score is not None and chunk.score < options.min_score:
                continue
            if options.diversity:
                candidates.append(chunk)
            elif not groups.add(chunk):
                break
    for chunk in await _diversified(candidates, search):
        if not groups.add(chunk):
            break
    return Selection(groups.chunks, unique)


async def _unique(ranking: Ranking, search: Search) -> AsyncGenerator[ScoredChunk, None]:
    """The chunks, best first; of chunks with the same text, ignoring case and white space, only the first."""
    ids = ranking.ids()
    seen: set[str] = set()
    size = len(ids) if search.options.diversity else max(_FIRST * search.options.top_k, 1)
    first = inline = 0
    while first < len(ids):
        block = ids[first : first + size]
        found = await search.chunks(block)
        for key in block:
            if (chunk := found.get(key)) is None:  # deleted since it was found
                continue
            text = " ".join(chunk.text.split()).casefold()
            if text not in seen:
                seen.add(text)
                yield ranking.scored(key, chunk)
            inline += len(text)
            if inline > CHARACTERS_INLINE_MAX:
                inline = 0
                await asyncio.sleep(0)  # for other requests
        first, size = first + size, 2 * size


async def _diversified(chunks: list[ScoredChunk], search: Search) -> list[ScoredChunk]:
    if not chunks:
        return []
    with search.watch.stage("search"):
        vectors = await search.searcher.vectors([chunk.id for chunk in chunks])
    return await computed(diversified, chunks, vectors, len(chunks), search.options.diversity)
