"""Assembles segments into chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from retriton_pipeline.chunking.model import Chunk
from retriton_pipeline.chunking.segments import Segment

_Group = tuple[list[Segment], list[Segment]]  # the segments that overlap the previous group, and the new ones
_PARAGRAPH_SEPARATOR = "\n\n"


def assemble_chunks(segments: Iterable[Segment], tokens_max: int, overlap_tokens: int) -> list[Chunk]:
    """Chunks of at most ``tokens_max`` tokens, not counting their context, with an overlap of ``overlap_tokens``."""
    chunks: list[Chunk] = []
    before = ""
    for overlapping, new in _groups(segments, tokens_max, overlap_tokens):
        group = overlapping + new
        text, new_text = group[0].table_header + _joined(group), _joined(new)
        separator = _trailing_space(before) + _leading_space(new[0].text) or _PARAGRAPH_SEPARATOR
        overlap = len(text) - len(new_text)
        chunks.append(Chunk(text, group[0].context, group[0].page, len(chunks), overlap, separator))
        before = new[-1].text
    return chunks


def _groups(segments: Iterable[Segment], tokens_max: int, overlap_tokens: int) -> Iterator[_Group]:
    """Groups of segments that fit into a chunk.

    A new page starts a group; a heading does if the current group is more than half full.
    """
    group: list[Segment] = []
    new = 0  # the number of segments at the end of the group that no previous group has
    group_tokens = 0  # of the segments, without the table header
    for segment in segments:
        tokens = group_tokens + (group[0].table_header_tokens if group else 0)
        is_full = tokens + segment.tokens > tokens_max or len(group) >= tokens_max  # segments can have no tokens
        starts_group = (segment.is_heading and tokens > tokens_max // 2) or (new > 0 and segment.page != group[-1].page)
        if new and (is_full or starts_group):
            yield group[:-new], group[-new:]
            room = tokens_max - segment.tokens - max(member.table_header_tokens for member in group)
            no_overlap = starts_group or segment.is_heading
            group = [] if no_overlap else _overlap(group, min(overlap_tokens, room))
            new, group_tokens = 0, sum(member.tokens for member in group)
        group.append(segment)
        new, group_tokens = new + 1, group_tokens + segment.tokens
    if new:
        yield group[:-new], group[-new:]


def _overlap(group: list[Segment], tokens_max: int) -> list[Segment]:
    """The last segments of ``group`` that together have at most ``tokens_max`` tokens, up to a heading."""
    kept: list[Segment] = []
    for segment in reversed(group[1:]):
        tokens_max -= segment.tokens
        if tokens_max < 0 or segment.is_heading:
            break
        kept.insert(0, segment)
    return kept


def _joined(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments).strip()


def _leading_space(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _trailing_space(text: str) -> str:
    return text[len(text.rstrip()) :]
