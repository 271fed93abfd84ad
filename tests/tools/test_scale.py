"""The arithmetic of scale, against sums by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.scale.assumptions import Assumptions
from bench.scale.document import PAGE, with_tables
from bench.scale.indexes import INDEXES
from bench.scale.plan import embedding, searching, storage

BY_NAME = {index.name: index for index in INDEXES}
ROUND = replace(
    Assumptions(),
    dimension=1000,
    tokens_per_passage=100,
    gpu_passage_tokens_per_s=1e6,
    gpu_queries_per_s=1000,
    usable=0.5,
    node_memory_bytes=100e9,
    node_cores=10,
    search_core_ms=1.0,
    search_growth=0.5,
    gateway_ms_per_query=2.0,
)


def test_embedding_takes_the_gpus_time_and_the_cores() -> None:
    found = embedding(ROUND, 3.6e9, gpus=10)
    assert found.gpu_hours == pytest.approx(100)
    assert found.hours == pytest.approx(10)
    assert found.cores_per_gpu == pytest.approx(1e4 * ROUND.front_ms_per_passage / 1e3)
    assert found.gigabits_per_s == pytest.approx(3.6e9 * (4000 + ROUND.text_bytes) * 8 / 36e3 / 1e9)


def test_nodes_hold_what_their_memory_disk_or_gpu_can() -> None:
    hnsw = storage(ROUND, BY_NAME["HNSW"], 1e8)
    assert hnsw.nodes == 9  # 4,140.8 bytes for 1e8 vectors, in halves of 100 GB
    assert hnsw.rows == pytest.approx(1e8 / 9)
    assert storage(ROUND, BY_NAME["HNSW"], 1).nodes == 1
    assert storage(replace(ROUND, node_disk_bytes=1e9), BY_NAME["DISKANN"], 1e6).nodes == 17  # 2 pages each
    assert storage(replace(ROUND, gpu_memory_bytes=8e9), BY_NAME["GPU_CAGRA"], 1e7).nodes == 11


def test_replicas_follow_the_rate_and_every_node_searches_every_query() -> None:
    ten = searching(ROUND, BY_NAME["HNSW"], 4e6, 10_000)
    # One node of 4 million: 2 ms of a core at 768 dimensions, 2.6 at 1,000; ten cores, half of them planned for.
    assert ten.replicas == ten.nodes == 6
    assert (ten.encoder_gpus, ten.gateway_cores) == (20, 40)
    assert searching(ROUND, BY_NAME["HNSW"], 4e6, 1).replicas == 1
    assert searching(ROUND, BY_NAME["DISKANN"], 4e6, 10_000).replicas == 11
    assert ten.dollars_per_million == pytest.approx(ten.dollars_per_hour / 36)


def test_assumptions_can_be_changed_and_wrong_ones_are_refused() -> None:
    changed = Assumptions().changed(["dimension=384", "usable=0.5"])
    assert (changed.dimension, changed.usable) == (384, 0.5)
    for wrong in ("dimensions=384", "dimension=0", "usable=much"):
        with pytest.raises(ValueError, match="."):
            Assumptions().changed([wrong])


def test_the_page_has_these_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run python -m bench.scale.document"
