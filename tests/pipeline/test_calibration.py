"""The weight of dense scores, measured by sentences of a collection's own texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import terms
from retriton_pipeline.calibration.bm25 import Bm25
from retriton_pipeline.calibration.cloze import bm25_rank, clozes, dense_rank
from retriton_pipeline.calibration.dense_weight import weight_for
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.store import Store, StoredDocument
from retriton_pipeline.store.settings import CALIBRATED, read_settings, write_settings
from retriton_pipeline.vectors import unit

TEXTS = [
    f"About item {n}. Item{n} stands on shelf {n * 7} of hall x{n}. It was painted in the year {1900 + n} by y{n}."
    for n in range(40)
]
ENCODER = EncoderInfo("test", "1" * 64, 8, 32, True, {}, "fp32", "")


def test_a_text_that_is_not_stored_scores_as_if_it_were() -> None:
    words = [list(terms(text)) for text in TEXTS]
    index, query = Bm25(words), list(terms("shelf 21 of hall x3"))
    scores = index.scores(query)
    assert int(scores.argmax()) == 3
    assert index.score(query, words[3]) == pytest.approx(scores[3])
    assert index.score(query, ["nowhere"]) == index.scores(["nowhere"]).max() == 0


def test_sentences_are_taken_out_of_texts_that_have_several() -> None:
    found = clozes(["One sentence alone, which is long enough to ask.", *TEXTS], 10)
    assert found == clozes(["One sentence alone, which is long enough to ask.", *TEXTS], 10)
    assert [one.place for one in found] == list(range(1, 11))
    for one in found:
        text = TEXTS[one.place - 1]
        assert one.sentence in text and not text.startswith(one.sentence)
        assert one.sentence not in one.rest and len(one.rest) > 20
    (chinese,) = clozes(["第一句话在这里。仓库里的水泵每天检查一次。阀门的压力是四十巴。"], 10)
    assert chinese.sentence in ("仓库里的水泵每天检查一次。", "阀门的压力是四十巴。")


def test_ranks_tell_which_search_finds_the_texts() -> None:
    questions = clozes(TEXTS, 40)
    random = np.random.default_rng(0)
    texts, noise = (unit(random.standard_normal((40, 64), np.float32)) for _ in range(2))
    assert dense_rank(questions, texts, texts, texts) == 1.0
    assert dense_rank(questions, texts, noise, texts) < 0.3
    assert bm25_rank(questions, TEXTS) < 0.5  # the words of the sentence are gone
    repeated = [f"{text} Again: item{n}, hall x{n}, y{n}." for n, text in enumerate(TEXTS)]
    assert bm25_rank(clozes(repeated, 40), repeated) > 0.9


def test_weights_fall_with_the_ratio_between_their_limits() -> None:
    weights = [weight_for(ratio) for ratio in (3.0, 1.0, 0.9, 0.8, 0.1)]
    assert weights == [0.8, 0.8, 0.75, 0.7, 0.7]


@pytest.mark.milvus
def test_what_was_measured_is_stored_beside_what_was_learned(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    try:
        store.open(ENCODER, create=True)
        document = StoredDocument("d" * 32, "a.txt", "Title", "c" * 32)
        vectors = unit(np.random.default_rng(0).standard_normal((3, 8), np.float32))
        store.upsert([(document, Chunk(f"text {n}", "Title", None, n)) for n in range(3)], vectors)
        texts, found = store.sample(2)
        assert len(texts) == len(found) == 2 and all(text.startswith("Title") for text in texts)

        store.keep_calibration({"dense_weight": 0.7, "chunks": 3})
        store.keep_search_settings({"dense_weight": 0.4})
        other = store.at(store.target, ENCODER)
        assert (other.calibration, other.search_settings) == ({"dense_weight": 0.7, "chunks": 3}, {"dense_weight": 0.4})
        store.keep_search_settings(None)
        other.read_settings()
        assert (other.calibration, other.search_settings) == ({"dense_weight": 0.7, "chunks": 3}, None)

        write_settings(store.milvus, "documents", "2" * 64, CALIBRATED, {"dense_weight": 0.8})
        assert read_settings(store.milvus, "documents", "2" * 64) == {CALIBRATED: {"dense_weight": 0.8}}
        store.read_settings()
        assert store.calibration == {"dense_weight": 0.7, "chunks": 3}  # of the other encoder
    finally:
        store.close()
