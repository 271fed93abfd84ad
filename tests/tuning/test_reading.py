from __future__ import annotations

import json
from pathlib import Path

import pytest

from retriton_tuning import InvalidData, read_labels, read_queries
from tests.tuning.domain import write_domain


def test_a_folder_without_header_and_with_parts(tmp_path: Path) -> None:
    labels = read_labels(write_domain(tmp_path / "d", 20, splits=True))
    assert len(labels.queries) == 20
    assert list(labels.parts.values()).count("train") == 10
    assert not labels.unlabelled


def test_documents_alone_and_a_log(tmp_path: Path) -> None:
    folder = write_domain(tmp_path / "d", 20)
    (folder / "qrels" / "test.tsv").unlink()
    labels = read_labels(folder)
    assert not labels.queries
    assert len(labels.unlabelled) == 20
    log = tmp_path / "log.txt"
    log.write_text('plain words\n{"text": "an object"}\n{"query": "another"}\n"a string"\n')
    assert read_queries(log) == ["plain words", "an object", "another", "a string"]
    assert len(labels.with_queries(["Plain  words", "plain words"]).unlabelled) == 21


def test_judgements_of_missing_passages_are_told(tmp_path: Path) -> None:
    folder = write_domain(tmp_path / "d", 20)
    with (folder / "qrels" / "test.tsv").open("a") as stream:
        stream.write("q0\tnowhere\t1\nq1\td1\t0\n")
    labels = read_labels(folder)
    assert labels.pairs == 20
    assert labels.dropped == ["1 of 21 judgements refer to a passage or query without text"]


@pytest.mark.parametrize(
    "row",
    [
        {"query": "a b", "passage": "c", "negative": "d"},
        {"question": "a b", "positive": ["c"], "negatives": ["d"]},
        ["a b", "c", "d"],
    ],
)
def test_pairs(tmp_path: Path, row: object) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps(row) + "\n" + json.dumps({"query": "A  b", "passage": "e"}) + "\n")
    labels = read_labels(file)
    assert list(labels.queries.values()) == ["a b"]
    assert sorted(labels.passages[key] for key in labels.relevant["q0"]) == ["c", "e"]
    assert [labels.passages[key] for key in labels.negatives["q0"]] == ["d"]


@pytest.mark.parametrize("line", ["nonsense", '{"query": "a"}', '["a"]', '{"query": ["a", "b"], "passage": "c"}'])
def test_malformed_pairs_name_the_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"query": "a", "passage": "b"}\n' + line + "\n")
    with pytest.raises(InvalidData, match=r"pairs.jsonl:2 is not"):
        read_labels(file)
