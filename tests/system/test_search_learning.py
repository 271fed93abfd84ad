"""Settings of searches, learned from judged queries of a collection whose words say more than its vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from ir_measures import Qrel

from retriton_client import AsyncClient
from retriton_pipeline.errors import DatasetError
from retriton_pipeline.evaluation import learn_search, score_search
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.retrieval.settings import DEFAULTS
from retriton_pipeline.store import Store
from tests.system.test_ingest import ingest_folder

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
PARTS = [f"{prefix}{number}" for number in range(4100, 4900, 100) for prefix in ("KD-", "KB-", "RD-", "RB-")]
QUERIES = {
    f"q{n}": f"Which torque has the bolt of the pump with the part number {part}?" for n, part in enumerate(PARTS)
}
QRELS = [Qrel(f"q{n}", f"{part}.txt", 1) for n, part in enumerate(PARTS)]


@pytest.fixture(scope="module")
def parts(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("learning") / "documents"
    folder.mkdir()
    for number, part in enumerate(PARTS):
        (folder / f"{part}.txt").write_text(f"The bolts of {part} take {30 + number} Nm, those of the cover {number}.")
    for number in range(len(PARTS)):
        torque = "Which torque has the bolt of the pump? See the part number of the pump on its bolt,"
        (folder / f"page{number}.txt").write_text(f"{torque} and the torque on page {number}.")
    store = Store(str(folder.parent / "milvus.db"), "documents", consistency="Strong")
    asyncio.run(ingest_folder(url, store, folder, None))
    yield store
    store.close()


async def test_settings_are_learned_kept_and_used(url: str, parts: Store) -> None:
    async with AsyncClient(url) as client:
        encoder = await client.encoder_info()
        await asyncio.to_thread(parts.open, encoder)
        retriever = Retriever(client, parts)
        assert retriever.settings == DEFAULTS
        learned = await learn_search(retriever, QUERIES, QRELS)
        assert learned.queries == len(QUERIES) and learned.before is not None and learned.after is not None
        assert learned.dense_weight < DEFAULTS.dense_weight
        assert learned.after > learned.before + 0.02
        scores = await score_search(retriever, QUERIES, QRELS, learned)
        assert np.mean(list(scores.values())) == pytest.approx(learned.after)

        with pytest.raises(DatasetError, match="19 queries are judged: .* at least 20"):
            await learn_search(retriever, QUERIES, QRELS[:19])
        with pytest.raises(DatasetError, match="none of the judged documents"):
            await learn_search(retriever, QUERIES, [Qrel(query, "nowhere", 1) for query in QUERIES])

        await asyncio.to_thread(parts.keep_search_settings, learned.model_dump())
        await asyncio.to_thread(parts.open, encoder)
        assert retriever.settings == learned  # read from Milvus
        question, options = QUERIES["q0"], {"neighbours": 0, "top_k": 5}
        by_default = await retriever.retrieve(question, SearchOptions(**options))
        explicit = await retriever.retrieve(question, SearchOptions(**options).resolved(learned))
        other = await retriever.retrieve(question, SearchOptions(**options).resolved(DEFAULTS))
        scored = [
            [(passage.source, passage.score) for passage in found.passages] for found in (by_default, explicit, other)
        ]
        assert scored[0] == scored[1] != scored[2]

        await asyncio.to_thread(parts.open, encoder)
        parts.keep_search_settings(None)
        await asyncio.to_thread(parts.open, encoder)
        assert retriever.settings == DEFAULTS
