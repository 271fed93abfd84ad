"""Chunks, and their size."""

from __future__ import annotations

from dataclasses import dataclass

from retriton_pipeline.errors import PipelineError


@dataclass(frozen=True)
class ChunkSize:
    """The size of chunks, in tokens of the served tokenizer.

    Attributes:
        tokens: the most tokens of a chunk, including its context, the prompt's prefix and special tokens.
        overlap_tokens: the most tokens at the end of a chunk that are repeated at the start of the next one.

    Raises:
        PipelineError: the overlap is negative or more than half of the chunk.
    """

    tokens: int = 128
    overlap_tokens: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_tokens <= self.tokens // 2:
            raise PipelineError(f"the overlap of {self.overlap_tokens} tokens must be from 0 to half of {self.tokens}")

    @classmethod
    def of(cls, tokens: int) -> ChunkSize:
        """Chunks of ``tokens`` tokens with the default overlap, but at most half of a chunk."""
        return cls(tokens, min(cls.overlap_tokens, tokens // 2))


@dataclass(frozen=True)
class Chunk:
    """A passage of a document: what is embedded, stored and retrieved.

    Attributes:
        text: the text that is shown and cited.
        context: the title and the headings above the text, on one line; embedded before the text.
        page: the page on which the chunk starts, from 1; None if the format has no pages.
        index: its position among the chunks of the document, from 0.
        overlap: the number of characters at the start of the text that repeat the previous chunk or a table header.
        separator: the white space in the document between the previous chunk and the new text of this one.
    """

    text: str
    context: str
    page: int | None
    index: int
    overlap: int = 0
    separator: str = "\n\n"

    @property
    def embedded_text(self) -> str:
        """The text whose vector is stored."""
        return with_context(self.context, self.text)


def with_context(context: str, text: str) -> str:
    """``text`` below the line with its context, if there is any."""
    return f"{context}\n{text}" if context else text
