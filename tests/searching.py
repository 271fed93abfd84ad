"""Searches of a store, for tests that are not asynchronous."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retriton_client import AsyncClient
from retriton_client.blocking import run
from retriton_pipeline.generation import LLM
from retriton_pipeline.retrieval import Retrieved, Retriever, SearchOptions, Turn
from retriton_pipeline.store import Store


def retrieve(
    url: str, store: Store, question: str, history: Sequence[Turn] = (), llm: LLM | None = None, **options: Any
) -> Retrieved:
    """The passages for a question; ``options`` are the fields of `SearchOptions`."""
    return run(_retrieve(url, store, question, history, llm, SearchOptions.of(**options)))


async def _retrieve(
    url: str, store: Store, question: str, history: Sequence[Turn], llm: LLM | None, options: SearchOptions
) -> Retrieved:
    async with AsyncClient(url) as client:
        store.open(await client.encoder_info())
        return await Retriever(client, store).retrieve(question, options, history, llm)
