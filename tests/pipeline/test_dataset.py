from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.errors import DatasetError
from retriton_pipeline.evaluation import Dataset


def write(folder: Path, corpus: str, queries: str, qrels: str) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


CORPUS = '{"_id": "d1", "title": "T", "text": "x"}\n{"_id": "d2", "text": "y"}\n\n'
QUERIES = '{"_id": "q1", "text": "a"}\n{"_id": "unjudged", "text": "b"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n"


def test_title_and_text_are_joined_and_only_judged_queries_count(tmp_path: Path) -> None:
    dataset = Dataset.read(write(tmp_path / "set", CORPUS, QUERIES, QRELS))
    assert (dataset.name, dataset.queries, dataset.histories) == ("set", {"q1": "a"}, {})
    assert {key: document.whole for key, document in dataset.corpus.items()} == {"d1": "T x", "d2": "y"}
    assert [tuple(qrel)[:3] for qrel in dataset.qrels] == [("q1", "d1", 2), ("q1", "d2", 0)]


@pytest.mark.parametrize(
    ("corpus", "queries", "qrels", "message"),
    [
        (CORPUS, QUERIES, QRELS + "q1\td1\n", "test.tsv:4"),
        (CORPUS, QUERIES, QRELS + "q9\td1\t1\n", "1 judged queries have no text.*'q9'"),
        ("{broken\n", QUERIES, QRELS, "corpus.jsonl:1 is not JSON"),
        ('{"_id": "d1"}\n', QUERIES, QRELS, "corpus.jsonl:1 is not an object"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, corpus: str, queries: str, qrels: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Dataset.read(write(tmp_path / "set", corpus, queries, qrels))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="test.tsv cannot be read"):
        Dataset.read(tmp_path)
