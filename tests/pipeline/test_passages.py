from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retriton_pipeline.retrieval.passages import diversified, extended, joined, without_duplicates
from retriton_pipeline.store import Hit

SENTENCES = [f"Sentence number {n} of the document says that {n * n} is a square." for n in range(9)]


def chunk(index: int, score: float = 0.5, document: str = "d", page: int | None = None) -> Hit:
    """Two sentences, the first of which the chunk before has too."""
    text = " ".join(SENTENCES[index : index + 2])
    return Hit(f"{document}.md", "T", "T", page, index, text, score, document_id=document, content="c")


def test_chunks_side_by_side_become_one_passage_without_repetition() -> None:
    first, other, second = joined([chunk(3, 0.9), chunk(7, 0.8), chunk(2, 0.7), chunk(0, 0.6)], top_k=3)
    assert first.text == " ".join(SENTENCES[2:5])
    assert (first.chunk_index, first.score) == (2, 0.9)
    assert (other.chunk_index, second.chunk_index) == (7, 0)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("One. Two. Three.", "Three. Four.", "One. Two. Three. Four."),
        ("One. Two.", "Three.", "One. Two.\n\nThree."),
        ("the area", "a field", "the area\n\na field"),  # a letter in common is no overlap
        ("One.\n\nTwo.", "Two.", "One.\n\nTwo."),
    ],
)
def test_what_is_repeated_stands_there_once(first: str, second: str, both: str) -> None:
    hits = [replace(chunk(0), text=first), replace(chunk(1), text=second)]
    assert joined(hits, 1)[0].text == both


def test_a_chunk_that_closes_a_gap_joins_both_sides() -> None:
    (passage,) = joined([chunk(1), chunk(3), chunk(2)], top_k=5)
    assert passage.text == " ".join(SENTENCES[1:5])


def test_top_k_counts_passages_and_later_chunks_still_join() -> None:
    hits = [chunk(1), chunk(5), chunk(8), chunk(2)]
    assert [passage.chunk_index for passage in joined(hits, top_k=2)] == [1, 5]
    assert joined(hits, top_k=2)[0].text == " ".join(SENTENCES[1:4])


def test_pages_and_documents_stay_apart() -> None:
    hits = [chunk(1, page=1), chunk(2, page=2), chunk(2, document="e")]
    assert joined(hits, top_k=5) == hits


def test_neighbours_are_joined_to_their_hit() -> None:
    hits = [chunk(4, 0.9), chunk(4, 0.8, document="e")]
    near = [chunk(index, 0.0) for index in (2, 3, 5, 6)] + [chunk(5, 0.0, document="e")]
    first, second = joined(extended(hits, near, distance=2), top_k=2)
    assert first.text == " ".join(SENTENCES[2:8])
    assert (first.score, first.chunk_index) == (0.9, 2)
    assert second.text == " ".join(SENTENCES[4:7])


def test_of_the_same_text_the_best_stays() -> None:
    same = replace(chunk(0, 0.3, document="copy"), text=chunk(0).text.upper().replace(" ", "\n"))
    assert without_duplicates([chunk(0, 0.9), same, chunk(1)]) == [chunk(0, 0.9), chunk(1)]


def test_diversity_prefers_what_is_unlike() -> None:
    hits = [chunk(0, 0.9), chunk(2, 0.89), chunk(4, 0.5)]
    vectors = np.array([[1, 0], [0.99, 0.141], [0, 1]], np.float32)
    assert [hit.chunk_index for hit in diversified(hits, vectors, 2, 0.0)] == [0, 2]
    assert [hit.chunk_index for hit in diversified(hits, vectors, 2, 0.6)] == [0, 4]
