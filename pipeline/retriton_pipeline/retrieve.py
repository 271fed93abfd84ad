"""A question to ranked passages."""

from __future__ import annotations

import time
from dataclasses import dataclass

from retriton_client import Client
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.store import Hit, Store


@dataclass(frozen=True)
class Retrieved:
    """The passages for a question, best first, and the milliseconds that each stage took."""

    question: str
    hits: list[Hit]
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
        if top_k < 1:
            raise PipelineError(f"top-k is {top_k}, it must be at least 1")
        start = time.perf_counter()
        vectors = self._client.embed_queries([question], truncate="START")
        embedded = time.perf_counter()
        (hits,) = self._store.search(vectors, top_k)
        searched = time.perf_counter()
        return Retrieved(question, hits, (embedded - start) * 1e3, (searched - embedded) * 1e3)
