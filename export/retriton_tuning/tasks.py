"""Smaller tasks to choose with: few queries, over relevant passages, those that BM25 confuses with them, and others."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retriton_tuning.bm25 import bm25_run
from retriton_tuning.errors import InvalidData
from retriton_tuning.labels import Task
from retriton_tuning.measures import Run
from retriton_tuning.reading import read_labels

GENERAL = Path(__file__).parent / "general"
CANDIDATES = 30  # passages that a cross-encoder orders
_QUERIES_MAX = 150
_GUARD_QUERIES_MAX = 400  # a guard may lose a point of nDCG@10, which is the standard error of 72 queries
_PASSAGES_PER_QUERY = 2
_HARD_PER_QUERY = 2


def smaller(task: Task, bm25: Run, seed: int, with_candidates: bool, queries_max: int = _QUERIES_MAX) -> Task:
    """The task with at most ``queries_max`` queries, over about twice as many passages.

    Args:
        task: all queries, over all passages.
        bm25: rankings of its queries; a query may have none.
        seed: of the choice of queries and of further passages.
        with_candidates: whether a cross-encoder is to order BM25's hits.
        queries_max: number of queries.
    """
    chance = random.Random(seed)  # noqa: S311
    queries = sorted(task.queries)
    chance.shuffle(queries)
    kept = {query: task.queries[query] for query in queries[:queries_max]}
    keys = dict.fromkeys(key for query in kept for key in task.relevant[query] if key in task.passages)
    keys |= dict.fromkeys(key for query in kept for key in list(bm25.get(query, {}))[:_HARD_PER_QUERY])
    others = [key for key in task.passages if key not in keys]
    chance.shuffle(others)
    keys |= dict.fromkeys(others[: max(0, _PASSAGES_PER_QUERY * queries_max - len(keys))])
    chosen = replace(task, queries=kept, passages={key: task.passages[key] for key in keys}, candidates={})
    return candidates_of(chosen, bm25) if with_candidates else chosen


def candidates_of(task: Task, bm25: Run) -> Task:
    """The task with BM25's first hits for a cross-encoder to order."""
    found = {query: [key for key in bm25.get(query, {}) if key in task.passages] for query in task.queries}
    return replace(task, candidates={query: keys[:CANDIDATES] for query, keys in found.items()})


def guard_tasks(folders: Sequence[Path], seed: int, with_candidates: bool) -> list[Task]:
    """The general set that is included, and the user's: 400 queries of each at most, 150 for a cross-encoder.

    Raises:
        InvalidData: a set has no judged queries.
    """
    queries_max = _QUERIES_MAX if with_candidates else _GUARD_QUERIES_MAX
    tasks = []
    for folder in (GENERAL, *folders):
        labels = read_labels(folder)
        if not labels.queries:
            raise InvalidData(f"the guard set {folder} has no judged queries")
        task = Task(labels.name, labels.queries, labels.passages, labels.relevant)
        is_whole = len(task.passages) <= _PASSAGES_PER_QUERY * queries_max and not with_candidates
        bm25 = {} if is_whole else bm25_run(task.passages, task.queries, CANDIDATES)
        tasks.append(smaller(task, bm25, seed, with_candidates, queries_max))
    return tasks


def of_queries(run: Run, queries: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """The part of a run for these queries; those without hits have none."""
    return {query: run.get(query, {}) for query in queries}
