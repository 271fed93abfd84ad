"""A question to ranked passages."""

from __future__ import annotations

import time
from dataclasses import dataclass

from retriton_client import Client
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.store import Hit, Store

TOP_K_MAX = 1024  # of a GPU index of Milvus; others allow 16,384


@dataclass(frozen=True)
class Retrieved:
    """The passages for a question, best first, and the milliseconds that each stage took.

    ``tokens_dropped`` says how many tokens of the question's start were too many for the encoder.
    """

    question: str
    hits: list[Hit]
    tokens_dropped: int
    embed_ms: float
    search_ms: float


class Retriever:
    """Embeds questions and searches.

    Args:
        client: the server.
        store: the collection; checked against the served encoder here.

    Raises:
        EncoderMismatch, NoSuchCollection: see `Store.open`.
    """

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store
        store.open(client.encoder_info())

    def retrieve(self, question: str, top_k: int = 5) -> Retrieved:
        """The ``top_k`` passages nearest to ``question``. A question too long for the encoder loses its start."""
        if not 1 <= top_k <= TOP_K_MAX:
            raise PipelineError(f"top-k is {top_k}, it must be from 1 to {TOP_K_MAX}")
        start = time.perf_counter()
        embeddings = self._client.embed([question], "query", truncate="START")
        embedded = time.perf_counter()
        (hits,) = self._store.search(embeddings.vectors, top_k)
        searched = time.perf_counter()
        dropped = int(embeddings.tokens_dropped[0])
        return Retrieved(question, hits, dropped, (embedded - start) * 1e3, (searched - embedded) * 1e3)
