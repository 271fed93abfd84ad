"""Collections of a gateway: they survive the end of Milvus Lite, and a large file is not read again and again."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import NoSuchCollection, StoreInterrupted
from retriton_pipeline.gateway.services import collections as module
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


@pytest.fixture
def collections(tmp_path: Path) -> Collections:
    """The collections of a file that has one chunk in ``documents``."""
    file = str(tmp_path / "milvus.db")
    store = Store(file, "documents")
    store.open(word_encoder(), create=True)
    store.upsert([(StoredDocument("id", "a.md", "A", "c"), Chunk("text", "", None, 0))], np.eye(1, 4, dtype=np.float32))
    store.close()
    return Collections(Settings("127.0.0.1:9", file), cast(Upstream, WithoutServer()))


async def count(rag: AsyncRag) -> int:
    return await asyncio.to_thread((await rag.store()).count)


async def process(rag: AsyncRag) -> object:
    return (await rag.store()).milvus._process


async def use_elsewhere(file: str) -> int:
    code = f"from retriton_pipeline.store import lite; lite.acquire({file!r}); lite.release({file!r})"
    return await (await asyncio.create_subprocess_exec(sys.executable, "-c", code)).wait()


async def test_a_search_that_ends_milvus_is_not_repeated(collections: Collections) -> None:
    calls: list[str] = []

    async def poison(rag: AsyncRag) -> None:
        calls.append("poison")
        milvus = (await rag.store()).milvus
        query = {"data": [[1.0, 0, 0, 0]], "anns_field": "vector", "filter": "page/0==1"}
        await asyncio.to_thread(milvus.call, "search", "documents", **query)

    with pytest.raises(StoreInterrupted):
        await collections.retrieve("documents", poison)
    assert calls == ["poison"]
    assert await collections.retrieve("documents", count) == 1
    await collections.close()


async def test_a_file_is_kept_open_until_another_process_wants_it(collections: Collections) -> None:
    lending = asyncio.ensure_future(collections.lend_file())
    file = collections._settings.milvus

    first = await collections.retrieve("documents", process)
    await asyncio.sleep(3 * module._LENDING_S)
    assert await collections.retrieve("documents", process) is first
    assert await use_elsewhere(file) == 0
    assert await collections.retrieve("documents", process) is not first
    await asyncio.sleep(3 * module._LENDING_S)
    assert await collections.retrieve("documents", count) == 1
    lending.cancel()
    await collections.close()


async def test_the_next_search_leaves_the_file_to_who_waits_for_it(collections: Collections) -> None:
    lending = asyncio.ensure_future(collections.lend_file())
    for _ in range(2):
        using = asyncio.ensure_future(use_elsewhere(collections._settings.milvus))
        opened = set()
        while not using.done():
            opened.add(await collections.retrieve("documents", process))
            await asyncio.sleep(0.005)
        assert await using == 0
        assert len(opened) <= 2
    lending.cancel()
    await collections.close()


async def test_a_file_that_is_searched_is_not_given_away(collections: Collections) -> None:
    lending = asyncio.ensure_future(collections.lend_file())

    async def search(rag: AsyncRag) -> int:
        Path(collections._settings.milvus).with_name(".milvus.db.owner").touch()
        await asyncio.sleep(3 * module._LENDING_S)
        return await count(rag)

    assert await collections.retrieve("documents", search) == 1
    opened = collections._open["documents"]
    await asyncio.sleep(3 * module._LENDING_S)  # who wanted it has given up
    assert collections._open["documents"] is opened
    lending.cancel()
    await collections.close()


async def test_nothing_is_closed_while_an_upload_has_the_file(collections: Collections) -> None:
    upload = Store(collections._settings.milvus, "documents")
    lending = asyncio.ensure_future(collections.lend_file())
    await collections.retrieve("documents", count)
    opened = collections._open["documents"]
    Path(collections._settings.milvus).with_name(".milvus.db.owner").touch()
    await asyncio.sleep(3 * module._LENDING_S)
    assert collections._open["documents"] is opened
    upload.close()
    assert await use_elsewhere(collections._settings.milvus) == 0
    lending.cancel()
    await collections.close()


@pytest.mark.parametrize("is_link", [False, True])
async def test_a_file_that_is_replaced_or_deleted_is_noticed(collections: Collections, is_link: bool) -> None:
    file = Path(collections._settings.milvus)
    if is_link:
        file.rename(file.with_name("first.db"))
        file.symlink_to("first.db")
    with closing(Store(str(file.with_name("other.db")), "documents")) as other:
        other.open(word_encoder(), create=True)
    lending = asyncio.ensure_future(collections.lend_file())
    assert await collections.retrieve("documents", count) == 1
    if is_link:
        file.with_name("link.db").symlink_to("other.db")
        file.with_name("link.db").replace(file)
    else:
        file.with_name("other.db").replace(file)
    await asyncio.sleep(3 * module._LENDING_S)
    assert await collections.retrieve("documents", count) == 0
    file.unlink()
    await asyncio.sleep(3 * module._LENDING_S)
    with pytest.raises(NoSuchCollection):
        await collections.retrieve("documents", count)
    lending.cancel()
    await collections.close()
