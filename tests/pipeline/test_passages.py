from __future__ import annotations

from dataclasses import replace

import numpy as np

from retriton_pipeline.retrieval import Passage
from retriton_pipeline.retrieval.passages import Groups, diversified, extended, joined
from retriton_pipeline.retrieval.ranking import ScoredChunk

SENTENCES = [f"Sentence number {n} of the document says that {n * n} is a square." for n in range(9)]


def chunk(index: int, score: float = 0.5, document: str = "d", page: int | None = None) -> ScoredChunk:
    """Two sentences, the first of which the chunk before has too."""
    text = " ".join(SENTENCES[index : index + 2])
    overlap = len(SENTENCES[index]) + 1 if index else 0
    return ScoredChunk(
        f"{document}.md",
        "T",
        "T",
        page,
        index,
        text,
        score=score,
        document_id=document,
        content_hash="c",
        overlap=overlap,
        separator=" ",
    )


def passages(hits: list[ScoredChunk], top_k: int) -> list[Passage]:
    groups = Groups(top_k)
    for hit in hits:
        if not groups.add(hit):
            break
    return [joined(group) for group in groups.chunks]


def test_chunks_side_by_side_become_one_passage_without_repetition() -> None:
    first, other, second = passages([chunk(3, 0.9), chunk(7, 0.8), chunk(2, 0.7), chunk(0, 0.6)], top_k=3)
    assert first.text == " ".join(SENTENCES[2:5])
    assert (first.chunk_index, first.score, first.best_chunk) == (2, 0.9, chunk(3).text)
    assert (other.chunk_index, second.chunk_index) == (7, 0)


def test_a_chunk_that_closes_a_gap_joins_both_sides_and_makes_room() -> None:
    hits = [chunk(1), chunk(3), chunk(2), chunk(6), chunk(8)]
    assert [passage.text for passage in passages(hits, top_k=2)] == [
        " ".join(SENTENCES[1:5]),
        " ".join(SENTENCES[6:8]),
    ]


def test_top_k_is_kept_and_a_document_does_not_become_one_passage() -> None:
    hits = [chunk(index, 0.9 - index / 100) for index in range(8)] + [chunk(0, 0.1, document="e")]
    found = passages(hits, top_k=3)
    assert [(passage.source, passage.chunk_index) for passage in found] == [("d.md", 0), ("d.md", 4), ("e.md", 0)]
    assert found[0].text == " ".join(SENTENCES[0:5])
    assert len(passages(hits[:3], top_k=1)) == 1


def test_hits_after_the_last_passage_are_not_joined() -> None:
    hits = [chunk(1), chunk(5), chunk(8), chunk(2)]
    assert [passage.text for passage in passages(hits, top_k=2)] == [chunk(1).text, chunk(5).text]


def test_pages_and_documents_stay_apart() -> None:
    hits = [chunk(1, page=1), chunk(2, page=2), chunk(2, document="e")]
    assert [passage.text for passage in passages(hits, top_k=5)] == [hit.text for hit in hits]


def test_the_header_of_a_table_stands_there_once() -> None:
    header = "| part | price |\n|---|---|\n"
    first = replace(chunk(0), text=f"{header}| a | 1 |\n| b | 2 |", overlap=0)
    second = replace(
        chunk(1), text=f"{header}| b | 2 |\n| c | 3 |", overlap=len(f"{header}| b | 2 |\n"), separator="\n"
    )
    assert passages([second, first], 1)[0].text == f"{header}| a | 1 |\n| b | 2 |\n| c | 3 |"


def test_neighbours_are_joined_to_their_passage() -> None:
    groups = [[chunk(4, 0.9)], [chunk(4, 0.8, document="e")]]
    near = [chunk(index, 0.0) for index in (2, 3, 5, 6)] + [chunk(5, 0.0, document="e"), chunk(4, 0.0)]
    first, second = map(joined, extended(groups, near, distance=2))
    assert first.text == " ".join(SENTENCES[2:8])
    assert (first.score, first.chunk_index) == (0.9, 2)
    assert second.text == " ".join(SENTENCES[4:7])


def test_what_is_cut_off_from_the_best_chunk_is_left_out() -> None:
    assert joined([chunk(4), chunk(1), chunk(5), chunk(7)]).text == " ".join(SENTENCES[4:7])


def test_diversity_prefers_what_is_unlike() -> None:
    hits = [chunk(0, 0.9), chunk(2, 0.89), chunk(4, 0.5)]
    vectors = np.array([[1, 0], [0.99, 0.141], [0, 1]], np.float32)
    assert [hit.chunk_index for hit in diversified(hits, vectors, 2, 0.0)] == [0, 2]
    assert [hit.chunk_index for hit in diversified(hits, vectors, 2, 0.6)] == [0, 4]
