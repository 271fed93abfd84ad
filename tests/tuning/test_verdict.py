from __future__ import annotations

import numpy as np
import pytest

from retriton_tuning.labels import Task
from retriton_tuning.measures import Scores, p_value, score
from retriton_tuning.verdict import Guard, judge

CHANCE = np.random.default_rng(0)


def scores(values: object) -> Scores:
    array = np.asarray(values, float)
    return Scores(array, array)


def test_measures_are_those_of_the_evaluation() -> None:
    from ir_measures import Qrel, ScoredDoc

    from retriton_pipeline.evaluation.measures import per_query

    passages = {f"p{n}": "text" for n in range(30)}
    queries = {f"q{n}": "text" for n in range(20)}
    relevant = {query: dict(zip(map("p{}".format, CHANCE.permutation(30)), (1, 2), strict=False)) for query in queries}
    run = {query: {key: float(CHANCE.random()) for key in passages} for query in list(queries)[1:]}
    found = score(Task("t", queries, passages, relevant), run)
    qrels = [Qrel(query, key, grade) for query, grades in relevant.items() for key, grade in grades.items()]
    wanted = per_query(qrels, (ScoredDoc(query, key, value) for query in run for key, value in run[query].items()))
    assert found.ndcg == pytest.approx([wanted[query]["ndcg@10"] for query in queries])
    assert found.recall == pytest.approx([wanted[query]["recall@5"] for query in queries])
    assert found.ndcg[0] == 0


def test_p_values_are_those_of_chance() -> None:
    """Without a difference, five of a hundred comparisons have a p below 0.05."""
    values = [p_value(x, x + CHANCE.normal(size=60), seed=n) for n, x in enumerate(CHANCE.random((100, 60)))]
    assert 0 <= sum(value < 0.05 for value in values) <= 12
    before = CHANCE.random(60)
    assert p_value(before, before + CHANCE.random(60)) < 0.001
    assert p_value(before, before) == 1.0


def test_queries_about_one_document_count_as_one() -> None:
    before = np.zeros(60)
    after = np.repeat([0.3, 0.2, 0.1], 20)
    assert p_value(before, after) < 0.001
    assert p_value(before, after, [n // 20 for n in range(60)]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("before", "after", "guards", "reason"),
    [
        (np.zeros(20), np.ones(20), [], "20 test queries are too few"),
        (np.zeros(60), np.zeros(60), [], r"changes by \+0.0 points"),
        (np.zeros(60), np.r_[np.ones(2), np.zeros(58)], [], "may be chance"),
        (np.zeros(60), np.ones(60), [Guard("general", 0.9, 0.88)], "general loses 2.0 points"),
        (np.zeros(60), np.ones(60), [Guard("general", 0.9, 0.895)], ""),
    ],
)
def test_reasons(before: object, after: object, guards: list[Guard], reason: str) -> None:
    found = judge(scores(before), scores(after), list(range(len(scores(before).ndcg))), guards)
    assert found.accepted == (not reason)
    if reason:
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError("; ".join(found.reasons))
