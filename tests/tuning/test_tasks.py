"""Smaller tasks, and the general set that is included."""

from __future__ import annotations

import json
from pathlib import Path

from retriton_tuning.tasks import guard_tasks


def test_the_general_set_is_used_whole() -> None:
    (general,) = guard_tasks([], seed=0, with_candidates=False)
    assert len(general.queries) == len(set(general.queries.values())) == 360
    assert len(general.passages) == len(set(general.passages.values())) == 360
    assert all(set(general.relevant[query]) <= set(general.passages) for query in general.queries)


def test_a_cross_encoder_orders_the_hits_of_fewer_queries() -> None:
    (general,) = guard_tasks([], seed=0, with_candidates=True)
    assert len(general.queries) == len(general.candidates) == 150
    assert len(general.passages) == 300


def test_a_large_guard_is_made_smaller_around_its_queries(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    rows = [{"_id": str(n), "text": f"word{n} and word{n // 7}"} for n in range(3000)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, rows[:1000])))
    judged = [f"{n}\t{n}\t1" for n in range(1000)]
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]))
    guard = guard_tasks([tmp_path], seed=0, with_candidates=False)[1]
    assert len(guard.queries) == 400
    assert 800 <= len(guard.passages) <= 1200
    assert all(guard.passages[key] for query in guard.queries for key in guard.relevant[query])
