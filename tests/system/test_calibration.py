"""Ingestion measures the weight of dense scores for a collection, and searches use it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from retriton_pipeline.calibration.dense_weight import CHUNKS_MIN
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.retrieval.settings import DEFAULTS

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
LOG = "retriton.calibration"


def write(folder: Path, start: int, count: int) -> Path:
    """A file of records, each of which has sentences that share rare words."""
    file = folder / f"{start}.jsonl"
    records = (
        {
            "id": str(n),
            "text": f"This is about pump{n}. Item pump{n} stands on shelf x{n} of the hall. Its valve x{n} was painted "
            f"in the spring. Nobody has moved pump{n} from shelf x{n} since.",
        }
        for n in range(start, start + count)
    )
    file.write_text("\n".join(map(json.dumps, records)))
    return file


async def test_a_weight_is_measured_once_a_collection_is_large_enough(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOG)

    def measured() -> int:
        return sum(record.name == LOG for record in caplog.records)

    async with AsyncRag(url, milvus=tmp_path / "milvus.db", consistency="Strong") as rag:
        await rag.ingest([write(tmp_path, 0, CHUNKS_MIN - 1)])
        assert (await rag.store()).calibration is None and not measured()
        by_default = [passage.score for passage in (await rag.retrieve("the valve x7 of pump7")).passages]

        await rag.ingest([write(tmp_path, CHUNKS_MIN, 20)])
        assert measured() == 1
        calibration = (await rag.store()).calibration
        assert calibration == {"dense_weight": 0.7, "chunks": CHUNKS_MIN + 19}  # it hardly distinguishes numbers
        scores = [passage.score for passage in (await rag.retrieve("the valve x7 of pump7")).passages]
        explicit = await rag.retrieve("the valve x7 of pump7", dense_weight=0.7)
        assert scores == [passage.score for passage in explicit.passages] != by_default
        default = await rag.retrieve("the valve x7 of pump7", dense_weight=DEFAULTS.dense_weight)
        assert scores != [passage.score for passage in default.passages]

        await rag.ingest([write(tmp_path, 2 * CHUNKS_MIN, 20)])
        assert measured() == 1  # it has not grown much
