from __future__ import annotations

from pathlib import Path

import pytest

from retriton_tuning import Labels, TooLittleData, read_labels
from retriton_tuning.near_duplicates import near_duplicates
from retriton_tuning.pairs import held_out_passages, labelled_pairs, with_negatives
from retriton_tuning.splitting import split
from tests.tuning.domain import write_domain

WORDS = "one two three four five six seven eight nine ten eleven twelve".split()


def titled(documents: int, per_document: int) -> Labels:
    """Each document has several passages, and each passage a query."""
    passages, titles, queries, relevant = {}, {}, {}, {}
    for document in range(documents):
        for part in range(per_document):
            key = f"{document}-{part}"
            passages[key] = " ".join(f"{word}{document}x{part}" for word in WORDS)
            titles[key] = f"title {document}"
            queries[key] = f"query{document}x{part} about{document}"
            relevant[key] = {key: 1}
    return Labels("titled", passages, titles, queries, relevant)


def test_documents_are_not_divided() -> None:
    labels = titled(30, 5)
    found = split(labels)
    parts = {query: part for part, queries in found.queries.items() for query in queries}
    for document in range(30):
        assert len({parts[f"{document}-{part}"] for part in range(5)}) == 1
    assert "by document" in found.notes[0]
    assert {len(found.queries[part]) for part in ("train", "test")} <= set(range(55, 85))
    assert split(labels) == found


def test_nothing_of_the_test_is_trained_on() -> None:
    labels = titled(40, 1)
    copy = dict(labels.passages)
    copy["0-0"] = copy["1-0"] + " again"  # nearly the same passage under another title
    labels = Labels("copied", copy, labels.titles, {**labels.queries, "2-0": labels.queries["3-0"]}, labels.relevant)
    for seed in range(5):
        found = split(labels, seed)
        parts = {query: part for part, queries in found.queries.items() for query in queries}
        assert parts["0-0"] == parts["1-0"]
        assert parts["2-0"] == parts["3-0"]
        held_out = held_out_passages(labels, found)
        trained = {pair.passage for pair in labelled_pairs(labels, found)}
        assert not trained & {labels.passages[key] for key in held_out}


def test_one_passage_that_answers_everything_splits_by_query() -> None:
    labels = titled(60, 1)
    relevant = {query: {**grades, "0-0": 1} for query, grades in labels.relevant.items()}
    labels = Labels("shared", labels.passages, labels.titles, labels.queries, relevant)
    found = split(labels)
    assert "by query" in found.notes[0]
    assert labels.passages["0-0"] not in {pair.passage for pair in labelled_pairs(labels, found)}
    assert found.queries["train"]


def test_the_division_of_the_data_is_kept(tmp_path: Path) -> None:
    labels = read_labels(write_domain(tmp_path / "d", 60, splits=True))
    found = split(labels)
    assert set(found.queries["test"]) == {f"q{n}" for n in range(30, 60)}


def test_too_little_data_is_told_with_the_numbers() -> None:
    with pytest.raises(TooLittleData, match="10 judged queries; at least 16"):
        split(titled(10, 1))


def test_near_duplicates() -> None:
    text = " ".join(WORDS)
    assert list(near_duplicates([text, "something else entirely different", text + " thirteen"])) == [(0, 2)]


def test_mined_negatives_keep_a_margin() -> None:
    labels = titled(40, 1)
    found = split(labels)
    pair = labelled_pairs(labels, found)[0]
    query = next(key for key, text in labels.queries.items() if text == pair.query)
    others = [key for key in found.queries["train"] if key != query]
    scores = {query: 0.8, others[0]: 0.79, others[1]: 0.7, found.queries["test"][0]: 0.6}
    ranked = {query: dict(sorted(scores.items(), key=lambda item: -item[1]))}
    held_out = held_out_passages(labels, found)
    (mined,) = with_negatives([pair], labels, ranked, held_out, 1)
    assert mined.negatives == (labels.passages[others[1]],)  # the first is too near, the last is held out
