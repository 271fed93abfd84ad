"""Collections of a gateway: a search that ends Milvus is not repeated, and the next one works."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import StoreInterrupted
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.store import Store, StoredDocument
from tests.tokenizers import word_encoder

pytestmark = pytest.mark.milvus


class WithoutServer:
    """An upstream whose encoder is known; nothing is embedded."""

    def __init__(self) -> None:
        self.client = AsyncClient("127.0.0.1:9")
        self.next_client = None

    async def encoder(self) -> EncoderInfo:
        return word_encoder()

    def expire(self) -> None:
        pass


async def test_a_search_that_ends_milvus_is_not_repeated(tmp_path: Path) -> None:
    file = str(tmp_path / "milvus.db")
    store = Store(file, "documents")
    store.open(word_encoder(), create=True)
    store.upsert([(StoredDocument("id", "a.md", "A", "c"), Chunk("text", "", None, 0))], np.eye(1, 4, dtype=np.float32))
    store.close()
    collections = Collections(Settings("127.0.0.1:9", file), cast(Upstream, WithoutServer()))
    calls: list[str] = []

    async def poison(rag: AsyncRag) -> None:
        calls.append("poison")
        milvus = (await rag.store()).milvus
        query = {"data": [[1.0, 0, 0, 0]], "anns_field": "vector", "filter": "page/0==1"}
        await asyncio.to_thread(milvus.call, "search", "documents", **query)

    async def count(rag: AsyncRag) -> int:
        return await asyncio.to_thread((await rag.store()).count)

    with pytest.raises(StoreInterrupted):
        await collections.retrieve("documents", poison)
    assert calls == ["poison"]
    assert await collections.retrieve("documents", count) == 1
    await collections.close()
