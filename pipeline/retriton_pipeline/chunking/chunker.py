"""Splits a document into chunks of a given size."""

from __future__ import annotations

from retriton_pipeline.chunking.assembling import assemble_chunks
from retriton_pipeline.chunking.model import Chunk, ChunkSize
from retriton_pipeline.chunking.segments import CONTEXT_TOKENS_MAX, document_segments
from retriton_pipeline.documents import Document
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.tokens import TokenCounter

_TEXT_TOKENS_MIN = 8


def chunk_document(document: Document, counter: TokenCounter, size: ChunkSize) -> list[Chunk]:
    """The chunks of ``document``, in order.

    Args:
        document: what is split.
        counter: counts tokens as the server does; chunks do not exceed its ``passage_tokens_max``.
        size: of the chunks.

    Raises:
        PipelineError: the chunks are too small for their context and prefix.
    """
    tokens_max = min(size.tokens, counter.passage_tokens_max)
    overhead = counter.count_passage("") + CONTEXT_TOKENS_MAX
    if tokens_max - overhead < _TEXT_TOKENS_MIN:
        raise PipelineError(
            f"chunks of {tokens_max} tokens leave no room for text: {overhead} are reserved for context and prefix; "
            "use larger chunks"
        )
    limit = tokens_max - overhead
    reduction = 0
    while limit > 0:
        chunks = assemble_chunks(document_segments(document, counter, limit), limit, size.overlap_tokens)
        # Segments are counted separately; some tokenizers need a few more tokens for the joined text.
        excess = max((counter.count_passage(chunk.embedded_text) for chunk in chunks), default=0) - tokens_max
        if excess <= 0:
            return chunks
        reduction = max(excess, 2 * reduction)  # doubled, so that few rounds suffice
        limit -= reduction
    raise PipelineError(f"{document.source} cannot be split into chunks of {tokens_max} tokens: use larger chunks")
