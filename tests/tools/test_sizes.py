"""The synthetic corpus of the benchmark by size, and one measurement of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench.sizes import corpus
from bench.sizes.measurements import Growth


def test_the_exact_neighbours_are_those_of_a_comparison_with_all() -> None:
    questions, texts = corpus.queries(5, 2)
    scores = questions @ np.concatenate([corpus.vectors(0), corpus.vectors(1)]).T
    best = [{divmod(int(place), corpus.BLOCK) for place in np.argsort(-row)[:10]} for row in scores]
    assert corpus.exact(questions, 2, 10) == best
    assert len(texts) == 5 and np.allclose(np.linalg.norm(questions, axis=1), 1, atol=1e-5)
    document, chunk = corpus.rows(1)[37]
    assert corpus.number(document.id, chunk.index) == corpus.BLOCK + 37


@pytest.mark.milvus
def test_a_growing_file_is_measured(tmp_path: Path) -> None:
    growth = Growth(str(tmp_path / "sizes.db"), None, 5)
    first, second = growth.to(1000), growth.to(2000)
    growth.remove()
    assert (first["chunks"], second["chunks"]) == (1000, 2000)
    for found in (first, second):
        assert found["recall"] == 1.0  # Milvus Lite compares with all
        assert found["memory_mib"] > 10 and found["index_s"] is None
        assert 0 < found["dense_ms"]["p50"] <= found["dense_ms"]["p99"]
