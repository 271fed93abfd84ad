"""The names of Triton's models: what clients call, what the lanes call, and what the launcher checks."""

from __future__ import annotations

EMBED_QUERY = "embed_query"
EMBED_PASSAGE = "embed_passage"
RERANK = "rerank"
ENCODER = "encoder"
CROSS_ENCODER = "cross_encoder"
ENCODER_INFO = "encoder_info"

# The lane of each role of a text.
EMBEDDING_LANES = {"query": EMBED_QUERY, "passage": EMBED_PASSAGE}
# Every model with a queue of its own, which a drain must wait for.
LANES = (EMBED_QUERY, EMBED_PASSAGE, RERANK)


def process_name(lane: str, number: int) -> str:
    """The name of a process of a lane, for the files by which it and the launcher communicate."""
    return f"{lane}.{number}"
