"""Cuts a document into passages along its structure: headings first, then paragraphs, then sentences, then words.

A table is cut between its rows; every passage that begins inside of it begins with its header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retriton_pipeline.documents import Block, Document
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.tokens import TokenCounter

_SENTENCE = re.compile(r"\s*.*?(?:(?<![.!?])[.!?]++(?=\s+[^\sa-z])|[。！？]|\Z)", re.DOTALL)
_CONTEXT_TOKENS_MAX = 32
_PART_CHARACTERS_MAX = 100_000


@dataclass(frozen=True)
class ChunkSize:
    """How large chunks are, in tokens of the served tokenizer.

    Attributes:
        tokens: the most tokens of a chunk, its context line, prefix and special tokens included.
        overlap_tokens: at most so many tokens from the end of a chunk are repeated at the start of the next.
    """

    tokens: int = 128
    overlap_tokens: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_tokens <= self.tokens // 2:
            raise PipelineError(f"the overlap of {self.overlap_tokens} tokens must be from 0 to half of {self.tokens}")

    @classmethod
    def of(cls, tokens: int) -> ChunkSize:
        """Chunks of so many tokens, with the usual overlap as far as it is not more than half."""
        return cls(tokens, min(cls.overlap_tokens, tokens // 2))


@dataclass(frozen=True)
class Chunk:
    """One passage.

    Attributes:
        text: what is shown and quoted.
        context: title and headings above it, one line; embedded in front of the text.
        page: the page it starts on, from 1, if there are pages.
        index: its place among the chunks of the document, from 0.
        overlap: how many characters of the text the chunk before has already: an overlap, or a table's header.
        separator: the white space between the chunk before and what is new in this one.
    """

    text: str
    context: str
    page: int | None
    index: int
    overlap: int = 0
    separator: str = "\n\n"

    @property
    def embedded_text(self) -> str:
        """What the vector stands for."""
        return with_context(self.context, self.text)


def with_context(context: str, text: str) -> str:
    """A text below the line that says where it stands."""
    return f"{context}\n{text}" if context else text


@dataclass(frozen=True)
class _Unit:
    """A sentence, or a smaller piece: what is never cut again.

    ``text`` starts with the white space that stands between the unit before and this one. ``lead`` stands in front
    of it where it begins a chunk: the header of the table that it is a row of.
    """

    text: str
    tokens: int
    page: int | None
    context: str
    is_heading: bool
    lead: str
    lead_tokens: int


def chunk_document(document: Document, counter: TokenCounter, size: ChunkSize) -> list[Chunk]:
    """All chunks of a document, in order."""
    tokens_max = min(size.tokens, counter.passage_tokens_max)
    overhead = counter.count_passage("") + _CONTEXT_TOKENS_MAX
    if tokens_max - overhead < 8:
        raise PipelineError(
            f"chunks of {tokens_max} tokens leave no room for text: {overhead} go to context and prefix. Allow more."
        )
    limit = tokens_max - overhead
    while True:
        chunks = _chunks(document, counter, limit, size.overlap_tokens)
        # Pieces are counted one by one; joined, some tokenizers need a few tokens more.
        excess = max((counter.count_passage(chunk.embedded_text) for chunk in chunks), default=0) - tokens_max
        if excess <= 0:
            return chunks
        limit -= excess
        if limit < 1:
            raise PipelineError(f"{document.source} cannot be cut into chunks of {tokens_max} tokens: allow more")


def _chunks(document: Document, counter: TokenCounter, tokens_max: int, overlap_tokens: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    before = ""
    for repeated, fresh in _pack(_units(document, counter, tokens_max), tokens_max, overlap_tokens):
        group = repeated + fresh
        text, new = group[0].lead + _join(group), _join(fresh)
        separator = _white_end(before) + _white_start(fresh[0].text)
        chunks.append(
            Chunk(text, group[0].context, group[0].page, len(chunks), len(text) - len(new), separator or "\n\n")
        )
        before = fresh[-1].text
    return chunks


def _units(document: Document, counter: TokenCounter, tokens_max: int) -> Iterator[_Unit]:
    path: list[tuple[int, str]] = []
    for block in document.blocks:
        if block.heading_level:
            path = [entry for entry in path if entry[0] < block.heading_level]
            context = _context(document.title, path, counter)
            path.append((block.heading_level, block.text))
        else:
            context = _context(document.title, path, counter)
        yield from _block_units(block, context, counter, tokens_max)


def _block_units(block: Block, context: str, counter: TokenCounter, tokens_max: int) -> Iterator[_Unit]:
    lead = f"{block.header}\n" if block.header and block.text.startswith(f"{block.header}\n") else ""
    lead_tokens = counter.count(lead) if lead else 0
    if lead_tokens > tokens_max // 2:
        lead, lead_tokens = "", 0  # the rows matter more
    text, is_heading = block.text.removeprefix(lead), block.heading_level > 0
    for number, piece in enumerate(_pieces(text, block.verbatim, counter, tokens_max - lead_tokens)):
        tokens = counter.count(piece)
        if number:
            yield _Unit(piece, tokens, block.page, context, is_heading, lead, lead_tokens)
        else:  # the header stays with the first row
            yield _Unit(f"\n\n{lead}{piece}", tokens + lead_tokens, block.page, context, is_heading, "", 0)


def _pieces(text: str, verbatim: bool, counter: TokenCounter, tokens_max: int) -> Iterator[str]:
    """The lines of a verbatim text, the sentences of any other, and parts of those that are too long."""
    for part in _parts(text):
        yield from _part_pieces(part, verbatim, counter, tokens_max)


def _parts(text: str) -> Iterator[str]:
    """A giant text in parts that end at white space, if there is any: pieces of all of it would fill the memory."""
    start = 0
    while len(text) - start > _PART_CHARACTERS_MAX:
        end = start + _PART_CHARACTERS_MAX
        spaces = (text.rfind(space, start + _PART_CHARACTERS_MAX // 2, end) for space in "\n ")
        cut = next((place for place in spaces if place > 0), end)
        yield text[start:cut]
        start = cut
    yield text[start:]


def _part_pieces(text: str, verbatim: bool, counter: TokenCounter, tokens_max: int) -> Iterator[str]:
    for piece in text.splitlines(keepends=True) if verbatim else _SENTENCE.findall(text):
        if not piece.strip():
            continue
        if counter.count(piece) <= tokens_max:
            yield piece
        else:
            yield from counter.split(piece, tokens_max)


def _context(title: str, path: list[tuple[int, str]], counter: TokenCounter) -> str:
    names = list(dict.fromkeys([title, *(heading for _, heading in path)]))
    line = " > ".join(" ".join(name.split()) for name in names if name)
    return next(counter.split(line, _CONTEXT_TOKENS_MAX - 2), "")


def _pack(units: Iterator[_Unit], tokens_max: int, overlap_tokens: int) -> Iterator[tuple[list[_Unit], list[_Unit]]]:
    """Groups of units that fit: what is repeated of the group before, and what is new.

    A page starts a new group; so does a section, unless the one before is small.
    """
    group: list[_Unit] = []
    fresh = 0  # units of the group that no group before has
    for unit in units:
        tokens = sum(member.tokens for member in group) + (group[0].lead_tokens if group else 0)
        full = tokens + unit.tokens > tokens_max
        opens = (unit.is_heading and tokens > tokens_max // 2) or (fresh > 0 and unit.page != group[-1].page)
        if fresh and (full or opens):
            yield group[:-fresh], group[-fresh:]
            room = tokens_max - unit.tokens - max(member.lead_tokens for member in group)
            group = [] if opens or unit.is_heading else _overlap(group, min(overlap_tokens, room))
            fresh = 0
        group.append(unit)
        fresh += 1
    if fresh:
        yield group[:-fresh], group[-fresh:]


def _overlap(group: list[_Unit], tokens_max: int) -> list[_Unit]:
    """The last units of ``group`` that together have at most ``tokens_max`` tokens."""
    kept: list[_Unit] = []
    for unit in reversed(group[1:]):
        tokens_max -= unit.tokens
        if tokens_max < 0 or unit.is_heading:
            break
        kept.insert(0, unit)
    return kept


def _join(group: list[_Unit]) -> str:
    return "".join(unit.text for unit in group).strip()


def _white_start(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _white_end(text: str) -> str:
    return text[len(text.rstrip()) :]
