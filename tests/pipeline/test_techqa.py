from __future__ import annotations

import json
from pathlib import Path

import pytest

from retriton_pipeline.errors import DatasetError
from retriton_pipeline.evaluation import Dataset
from retriton_pipeline.evaluation.techqa import convert

TECHNOTES = {
    "swg1": {"_id": "swg1", "title": "Setting variables", "text": "Set the variable in the instance.", "metadata": {}},
    "swg2": {"_id": "swg2", "title": "Ports", "text": "Port 9,080 is the default."},
}
QUESTIONS = [
    {"QUESTION_ID": "Q0", "QUESTION_TITLE": "Variables?", "QUESTION_TEXT": "\n\nWhere do I set them?",
     "DOCUMENT": "swg1", "ANSWER": "in the instance", "ANSWERABLE": "Y", "DOC_IDS": ["swg1"]},
    {"QUESTION_ID": "Q1", "QUESTION_TITLE": "Why?", "QUESTION_TEXT": "Nobody knows.", "DOCUMENT": "-", "ANSWER": "-",
     "ANSWERABLE": "N", "DOC_IDS": []},
    {"QUESTION_ID": "Q2", "QUESTION_TITLE": "", "QUESTION_TEXT": "Which port?", "DOCUMENT": "swg9", "ANSWER": "9,080",
     "ANSWERABLE": "Y", "DOC_IDS": []},
]  # fmt: skip


def write(folder: Path, technotes: object = TECHNOTES, questions: object = QUESTIONS) -> tuple[Path, list[Path]]:
    (folder / "technotes.json").write_text(json.dumps(technotes))
    (folder / "train_Q_A.json").write_text(json.dumps(questions))
    return folder / "technotes.json", [folder / "train_Q_A.json"]


def test_what_is_written_is_a_dataset(tmp_path: Path) -> None:
    done = convert(*write(tmp_path), tmp_path / "out")
    assert (done.documents, done.answerable, done.unanswerable, done.missing) == (2, 2, 1, ["swg9"])
    dataset = Dataset.read(tmp_path / "out")
    assert dataset.corpus["swg1"].whole == "Setting variables Set the variable in the instance."
    assert dataset.queries == {"Q0": "Variables?\n\n\nWhere do I set them?", "Q2": "Which port?"}
    assert [(qrel.query_id, qrel.doc_id, qrel.relevance) for qrel in dataset.qrels] == [
        ("Q0", "swg1", 1),
        ("Q2", "swg9", 1),
    ]
    unanswerable = (tmp_path / "out" / "queries_unanswerable.jsonl").read_text()
    assert json.loads(unanswerable)["_id"] == "Q1"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    convert(*write(tmp_path), tmp_path / "out")
    with pytest.raises(DatasetError, match=r"has a corpus.jsonl already"):
        convert(*write(tmp_path), tmp_path / "out")


@pytest.mark.parametrize(
    ("technotes", "questions", "message"),
    [
        (["not an object"], QUESTIONS, "technotes"),
        ({"swg1": "text"}, QUESTIONS, "'swg1' is not a document"),
        (TECHNOTES, [{"id": 1}], "KeyError 'QUESTION_ID'"),
        (TECHNOTES, 3, "not a list"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, technotes: object, questions: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        convert(*write(tmp_path, technotes, questions), tmp_path / "out")
