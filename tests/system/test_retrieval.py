"""Searching a collection of real documents, in every way there is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from retriton_client import AsyncClient, EncoderInfo, NotInstalled
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import EncoderMismatch, InvalidFilter, InvalidOption, PipelineError, StoreError
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval import Retriever, SearchOptions, Turn
from retriton_pipeline.store import PROFILES, Store, StoredDocument
from tests.pipeline.test_rewriting import Scripted
from tests.searching import retrieve
from tests.system.test_ingest import ingest_folder

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
FILLER = [
    "bread from rye flour", "the tides of the North Sea", "chess openings with the queen's pawn", "repairing bicycles",
    "the migration of storks", "violins made in Cremona", "the taxation of small companies", "volcanoes of Iceland",
    "growing tomatoes on a balcony", "the history of the printing press", "sorting algorithms", "vaccination of cats",
]  # fmt: skip
FACTS = {
    "ada.txt": "Ada Lovelace wrote the first program, for the Analytical Engine of Charles Babbage.",
    "babbage.txt": "Charles Babbage was born in Walworth, and studied at Trinity College.",
    "walworth.txt": "Walworth is a district in the south of the city, known for its market on East Street.",
    "error.txt": "The message XQ-4711 means that the fuse of the pump is blown.",
    "pump.md": "# Pump\n\n## Care\n\nClean the filter every month.\n\n## Noise\n\nAir in the pipes makes it hum.",
}


@pytest.fixture(scope="module")
def filled(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("retrieval") / "documents"
    folder.mkdir()
    for number in range(60):
        topic = FILLER[number % len(FILLER)]
        (folder / f"filler{number}.txt").write_text(f"Remark {number} is about {topic}, and says little else.")
    for name, text in FACTS.items():
        (folder / name).write_text(text)
    store = Store(str(folder.parent / "milvus.db"), "documents", consistency="Strong")
    asyncio.run(ingest_folder(url, store, folder, None))
    yield store
    store.close()


def names(url: str, store: Store, question: str, top_k: int = 3, **options: object) -> list[str]:
    found = retrieve(url, store, question, top_k=top_k, **options)
    return [Path(passage.source).name for passage in found.passages]


def test_words_find_codes_and_vectors_find_meanings(url: str, filled: Store) -> None:
    assert names(url, filled, "XQ-4711", mode="bm25", hops=1) == ["error.txt"]
    assert names(url, filled, "feline inoculation", 1, mode="dense")[0].startswith("filler")
    assert names(url, filled, "feline inoculation", mode="bm25") == []
    assert names(url, filled, "what does XQ-4711 mean", mode="hybrid")[0] == "error.txt"


def test_scores_tell_which_stage_gave_them(url: str, filled: Store) -> None:
    (best, *_) = retrieve(url, filled, "what does XQ-4711 mean").passages
    assert set(best.scores) >= {"dense", "bm25", "fused"}
    assert best.score == best.scores["fused"]
    assert retrieve(url, filled, "pump", mode="dense").passages[0].score < 1.0


def test_a_second_hop_finds_what_only_the_first_hit_names(url: str, filled: Store) -> None:
    question = "Where was the inventor of the machine born that had the first program?"
    first = names(url, filled, question, 5, mode="bm25", hops=1)
    both = names(url, filled, question, 5, mode="hybrid", hops=2)
    assert "babbage.txt" in both
    assert both.index("babbage.txt") <= (first.index("babbage.txt") if "babbage.txt" in first else 9)


def test_a_follow_up_takes_what_it_lacks_from_the_conversation(url: str, filled: Store) -> None:
    history = [Turn("user", "Which district was Charles Babbage born in?"), Turn("assistant", "In Walworth.")]
    question = "And what is it like?"
    for mode in ("dense", "bm25", "hybrid"):
        alone = names(url, filled, question, 2, mode=mode)
        followed = names(url, filled, question, 2, mode=mode, history=history)
        assert "walworth.txt" not in alone, mode
        assert "walworth.txt" in followed, mode


def test_a_question_that_stands_for_itself_ignores_the_conversation(url: str, filled: Store) -> None:
    history = [Turn("user", "Tell me about violins made in Cremona."), Turn("assistant", "They are old.")]
    question = "Who wrote the first program for the Analytical Engine?"
    alone = retrieve(url, filled, question, mode="dense").passages
    assert retrieve(url, filled, question, history, mode="dense").passages == alone
    assert Path(alone[0].source).name == "ada.txt"


def test_an_llm_rewrites_and_decomposes(url: str, filled: Store) -> None:
    llm: LLM = Scripted("What does XQ-4711 mean?\nHow often is the filter cleaned?")
    found = retrieve(url, filled, "and?", llm=llm, top_k=3, decompose=True)
    assert {"error.txt", "pump.md"} <= {Path(passage.source).name for passage in found.passages}
    assert "rewrite" in found.latency_ms
    with pytest.raises(PipelineError, match="decompose needs an LLM"):
        retrieve(url, filled, "and?", decompose=True)


async def test_a_ranking_without_an_llm_cannot_be_decomposed(url: str, filled: Store) -> None:
    async with AsyncClient(url) as client:
        with pytest.raises(InvalidOption, match="decompose needs an LLM"):
            await Retriever(client, filled).ranked("and?", 5, SearchOptions(decompose=True))


def test_filters_thresholds_and_neighbours(url: str, filled: Store) -> None:
    assert set(names(url, filled, "pump", 5, filter='title == "Pump"')) == {"pump.md"}
    found = retrieve(url, filled, "pump", top_k=50, mode="dense", min_score=0.3).passages
    assert 0 < len(found) < 20
    assert all(hit.score >= 0.3 for hit in found)
    with pytest.raises(InvalidFilter, match="no_such_field"):
        names(url, filled, "pump", filter="no_such_field == 1")


def test_diverse_passages_come_before_more_of_the_same(url: str, filled: Store) -> None:
    question = "Remark about bread from rye flour"
    plain = retrieve(url, filled, question, top_k=4, mode="dense")
    diverse = retrieve(url, filled, question, top_k=4, mode="dense", diversity=0.7)
    assert all("bread" in hit.text for hit in plain.passages)
    assert not all("bread" in hit.text for hit in diverse.passages)


def test_every_stage_is_timed(url: str, filled: Store) -> None:
    latency = retrieve(url, filled, "pump").latency_ms
    assert set(latency) == {"embed", "search", "total"}
    assert 0 < latency["embed"] + latency["search"] <= latency["total"]


def test_what_cannot_be_done_is_named(url: str, filled: Store) -> None:
    with pytest.raises(NotInstalled, match="no cross_encoder is installed"):
        names(url, filled, "pump", rerank=True)
    for wrong in ({"mode": "sparse"}, {"candidates": 5000}, {"diversity": 2.0}, {"fusion": "max"}, {"hops": 3}):
        with pytest.raises(InvalidOption, match="input should be"):
            names(url, filled, "pump", **wrong)


def test_scores_go_down(url: str, filled: Store) -> None:
    for mode in ("dense", "bm25", "hybrid"):
        found = retrieve(url, filled, "Where was the inventor of the first program born?", top_k=20, mode=mode)
        scores = [hit.score for hit in found.passages]
        assert scores == sorted(scores, reverse=True), mode


def test_copies_do_not_take_the_places_of_others(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(70):
        (folder / f"copy{number}.md").write_text("# Pump\n\nClean the filter of the pump every month.")
    for name, text in FACTS.items():
        (folder / name).write_text(text)
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    asyncio.run(ingest_folder(url, store, folder, None))
    assert len(retrieve(url, store, "the pump").passages) == 5
    store.close()


def test_an_empty_collection_has_nothing(url: str, encoder: EncoderInfo, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    store.open(encoder, create=True)
    assert retrieve(url, store, "anything").passages == []
    store.close()


def test_a_new_version_takes_over_in_a_file(encoder: EncoderInfo, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    rows = [(StoredDocument("id", "a.md", "T", "c"), Chunk("text", "", None, 0))]
    vectors = np.eye(1, 384, dtype=np.float32)
    another = Store(store.uri, "documents_v2")
    another.open(encoder, create=True)  # somebody's own collection, whose name is in the way
    another.upsert(rows, vectors)
    store.open(encoder, create=True)
    store.upsert(rows, vectors)
    store.rebuild(encoder)
    assert store.count() == 0
    store.publish()
    store.open(encoder)
    assert store.count() == 0
    assert another.count() == 1
    assert set(store.milvus.call("list_collections")) == {"retriton_names", "documents_v2", "documents_v3"}
    with pytest.raises(StoreError, match="Milvus Lite has no HNSW index, only flat, ivf_flat, auto"):
        Store(store.uri, "another").open(encoder, create=True, index="hnsw")
    with pytest.raises(EncoderMismatch):
        store.open(EncoderInfo("other", "f9", 384, 256, True, {}, "fp32", "{}"))
    assert store.search(vectors, 3) == [[]]
    store.close()


def test_a_publication_that_was_interrupted_is_finished_by_the_next(encoder: EncoderInfo, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "milvus.db"), "documents", consistency="Strong")
    store.open(encoder, create=True)
    store.rebuild(encoder)
    store.versions.switch("documents", "documents_v2")  # and here the process was killed
    store.rebuild(encoder)
    store.publish()
    assert set(store.milvus.call("list_collections")) == {"retriton_names", "documents_v3"}
    store.rebuild(encoder, "ivf_flat")
    store.rebuild(encoder, "flat")  # another index than the one that was begun with
    assert store.index == PROFILES["flat"]
    store.close()
