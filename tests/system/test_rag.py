"""The library: ingest, retrieve, prompt, answer and stream, blocking and asynchronous."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retriton_client import DeadlineExceeded
from retriton_pipeline.errors import InvalidFilter, InvalidOption, NoSuchCollection
from retriton_pipeline.generation import LLM
from retriton_pipeline.ingest import Progress
from retriton_pipeline.rag import AsyncRag, Rag
from retriton_pipeline.retrieval import Turn
from tests.chat_endpoint import ChatEndpoint, Says, chat_endpoint
from tests.conftest import ROOT

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
SAMPLES = ROOT / "docs" / "samples"
QUESTION = "Why are there two lanes?"
SAYS = Says(
    ("Queries do not wait ", "[1]", "."), usage={"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
)


@pytest.fixture(scope="module")
def rag(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    with Rag(url, tmp_path_factory.mktemp("rag") / "documents.db", "manuals") as opened:
        report = opened.ingest([SAMPLES])
        assert (report.added, report.skipped) == (4, [])
        yield opened


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    with chat_endpoint(SAYS) as running:
        yield running


def test_documents_are_ingested_once_and_progress_is_reported(url: str, tmp_path: Path) -> None:
    seen: list[Progress] = []
    with Rag(url, tmp_path / "documents.db") as rag:
        first = rag.ingest([SAMPLES], on_progress=seen.append)
        again = rag.ingest([SAMPLES])
    assert (first.added, again.added, again.unchanged) == (4, 0, 4)
    assert seen[-1].bytes_done == seen[-1].bytes_total > 0
    assert (seen[-1].documents, seen[-1].chunks) == (4, first.chunks)


def test_passages_are_retrieved_with_options(rag: Rag) -> None:
    found = rag.retrieve(QUESTION, top_k=2, mode="hybrid", filter='title == "Serving encoders with Triton"')
    assert [Path(passage.source).name for passage in found.passages] == ["serving.md"]
    assert set(found.passages[0].scores) >= {"dense", "bm25", "fused"}
    assert found.as_json()["passages"][0]["source"] == found.passages[0].source


def test_a_whole_question_is_bounded(url: str, tmp_path: Path) -> None:
    with (
        chat_endpoint(replace(SAYS, gap_s=4.0)) as slow,
        Rag(url, tmp_path / "documents.db", llm=LLM(slow.url, "m"), call_timeout_s=5.0) as rag,
    ):
        rag.ingest([SAMPLES])
        assert rag.retrieve(QUESTION).passages
        start_s = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="call_timeout_s, 5 s"):
            rag.answer(QUESTION)
        assert 4.9 < time.monotonic() - start_s < 9


def test_a_repeated_question_is_searched_again_after_a_write_only(url: str, tmp_path: Path) -> None:
    note = tmp_path / "notes" / "note.md"
    note.parent.mkdir()
    (note.parent / "other.md").write_text("Bananas are yellow.")

    async def ask(rag: AsyncRag, question: str = QUESTION, **options: Any) -> tuple[bool, str]:
        found = await rag.retrieve(question, mode="bm25", **options)
        return "search" in found.latency_ms, found.passages[0].text

    async def main() -> None:
        async with (
            AsyncRag(url, tmp_path / "documents.db", result_cache_s=60) as rag,
            AsyncRag(url, tmp_path / "documents.db") as writer,
        ):
            await rag.ingest([SAMPLES, note.parent])
            first = await ask(rag)
            assert (first[0], await ask(rag)) == (True, (False, first[1]))
            assert (await ask(rag, top_k=2))[0]
            assert (await ask(rag, filter='title != "x"'))[0]
            assert (await ask(rag, history=[Turn("user", "Tell me about lanes.")]))[0]
            assert (await ask(rag, QUESTION.lower()))[0]
            note.write_text("# Two lanes\n\nWhy are there two lanes? Why two lanes? Two lanes, there are two.")
            await writer.ingest([note])
            searched, text = await ask(rag)
            assert searched
            assert "Two lanes, there are two." in text
            note.unlink()
            await writer.ingest([SAMPLES, note.parent], prune=True)
            assert await ask(rag) == first
            assert not (await ask(rag))[0]
            assert (await ask(writer))[0]
            assert (await ask(writer))[0]

    asyncio.run(main())


def test_results_of_repeated_questions_expire(url: str, tmp_path: Path) -> None:
    async def main() -> list[bool]:
        async with AsyncRag(url, tmp_path / "documents.db", result_cache_s=0.2) as rag:
            await rag.ingest([SAMPLES])
            found = [await rag.retrieve(QUESTION, mode="bm25"), await rag.retrieve(QUESTION, mode="bm25")]
            await asyncio.sleep(0.3)
            return ["search" in one.latency_ms for one in [*found, await rag.retrieve(QUESTION, mode="bm25")]]

    assert asyncio.run(main()) == [True, False, True]


def test_invalid_options_and_filters_are_refused(rag: Rag) -> None:
    with pytest.raises(InvalidOption, match="top_k is 0"):
        rag.retrieve(QUESTION, top_k=0)
    with pytest.raises(InvalidFilter, match="no_such_field"):
        rag.retrieve(QUESTION, filter="no_such_field == 1")
    with pytest.raises(InvalidOption, match="an answer needs an LLM"):
        rag.answer(QUESTION)


def test_a_missing_file_or_collection_is_named_and_may_come_later(url: str, tmp_path: Path) -> None:
    with Rag(url, tmp_path / "later.db") as rag:
        with pytest.raises(NoSuchCollection, match=r"later\.db"):
            rag.retrieve(QUESTION)
        assert rag.ingest([SAMPLES], dry_run=True).added == 4
        rag.ingest([SAMPLES])
        assert rag.retrieve(QUESTION).passages


def test_the_prompt_has_the_passages(rag: Rag) -> None:
    prompted = rag.prompt(QUESTION, top_k=3)
    assert prompted.passages
    assert all(passage.text in prompted.prompt.text for passage in prompted.passages)
    assert set(prompted.latency_ms) == {"embed", "search", "assemble", "total"}


def test_an_answer_has_its_sources(rag: Rag, endpoint: ChatEndpoint) -> None:
    answer = rag.answer(QUESTION, llm=LLM(endpoint.url, "m"))
    assert answer.text == "Queries do not wait [1]."
    assert (answer.citations, answer.finish_reason) == ([1], "stop")
    assert Path(answer.sources[0].source).name == "serving.md"
    assert answer.usage == SAYS.usage
    assert answer.latency_ms["total"] > answer.latency_ms["answer"] >= answer.latency_ms["first_token"] > 0
    assert answer.as_json()["citations"][0]["number"] == 1


def test_an_answer_can_be_streamed(rag: Rag, endpoint: ChatEndpoint) -> None:
    stream = rag.stream(QUESTION, llm=LLM(endpoint.url, "m"), history=[Turn("user", "Hello")])
    assert stream.passages
    assert "".join(delta.text for delta in stream) == stream.answer.text == "Queries do not wait [1]."


async def test_many_questions_share_one_asynchronous_object(url: str, tmp_path: Path) -> None:
    async with AsyncRag(url, tmp_path / "documents.db") as rag:
        await rag.ingest([SAMPLES])
        found = await asyncio.gather(*(rag.retrieve(f"{QUESTION} {n}") for n in range(16)))
    assert all(Path(one.passages[0].source).name == "serving.md" for one in found)


async def test_a_cancelled_question_does_not_keep_the_file(url: str, tmp_path: Path) -> None:
    file = tmp_path / "documents.db"
    async with AsyncRag(url, file) as rag:
        await rag.ingest([SAMPLES])
    async with AsyncRag(url, file) as rag:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await rag.retrieve(QUESTION)
    async with AsyncRag(url, file) as rag:
        assert (await rag.retrieve(QUESTION)).passages
