"""Another encoder for a collection that is searched and written to meanwhile: real servers, Milvus Lite, and Milvus."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from retriton_client import AsyncClient, Client
from retriton_client.blocking import run
from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_pipeline.chunking import Chunk, ChunkSize
from retriton_pipeline.errors import EncoderMismatch, PipelineError
from retriton_pipeline.rag import AsyncRag, Rag
from retriton_pipeline.store import Store, StoredDocument
from retriton_pipeline.switching import SwitchReport
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert
from tests.gateway.conftest import COMMAND, running, until
from tests.milvus_server import milvus_server

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
TOP_K = 5
SIZE = ChunkSize(48, 0)
Answer = tuple[str, ...]  # sources of documents, best first


@dataclass(frozen=True)
class Servers:
    """Two servers whose encoders differ in their vectors, and not in the dimension."""

    old: TritonServer
    new: TritonServer

    @property
    def urls(self) -> tuple[str, str]:
        return self.old.endpoint.grpc_url, self.new.endpoint.grpc_url


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("encoders")
    repositories = []
    for name, prompts in ("old", {}), ("new", {"query": "question: ", "passage": "text: "}):
        repositories.append(copy_repository(folder / f"{name}-repository"))
        checkpoint = Checkpoint.read(str(tiny_bert(folder / name, prompts=prompts)))
        export_encoder(checkpoint, repositories[-1], Recipe("openvino", "fp32"))
    triton = TritonWheel(SERVER_ENV)
    with (
        TritonServer(triton, repositories[0], Endpoint.free()) as old,
        TritonServer(triton, repositories[1], Endpoint.free()) as new,
    ):
        old.wait_ready()
        new.wait_ready()
        yield Servers(old, new)


def words(count: int, seed: int) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("abcdefghijklmnopqrstuvwxyz"), (count, 3, 4))
    return [" ".join("".join(word) for word in text) for text in letters]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 300 documents of one chunk each."""
    file = tmp_path_factory.mktemp("documents") / "documents.jsonl"
    lines = [json.dumps({"id": f"{number}", "text": text}) for number, text in enumerate(words(300, seed=1))]
    file.write_text("\n".join(lines))
    return file


QUESTIONS = words(8, seed=2)


def stored(store_uri: str) -> dict[str, str]:
    """The embedded text of each document, by source."""
    store = Store(store_uri, "documents", consistency="Strong")
    fields = ["source", "context", "text"]
    rows = store.milvus.call("query", store.current()[0], filter="chunk_index >= 0", output_fields=fields)
    store.close()
    return {row["source"]: "\n".join(filter(None, (row["context"], row["text"]))) for row in rows}


def exact(url: str, corpus: dict[str, str]) -> list[Answer]:
    """The best documents for each question by the vectors of one server, computed without Milvus."""
    sources = list(corpus)
    with Client(url) as client:
        scores = client.embed_queries(QUESTIONS) @ client.embed_passages(list(corpus.values())).T
    return [tuple(sources[place] for place in np.argsort(-line)[:TOP_K]) for line in scores]


def ask(rag: Rag, question: str) -> Answer:
    found = rag.retrieve(question, mode="dense", top_k=TOP_K, neighbours=0, hops=1)
    return tuple(passage.source for passage in found.passages)


@contextmanager
def asked_without_pause(rag: Rag, answers: list[list[Answer]]) -> Iterator[None]:
    """Three threads ask all questions over and over; a failure is raised at the end."""
    done, failures = threading.Event(), []

    def search() -> None:
        while not done.is_set():
            for number, question in enumerate(QUESTIONS):
                try:
                    answers[number].append(ask(rag, question))
                except Exception as error:  # noqa: BLE001 - each failure fails the test
                    failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]


def test_a_collection_is_switched_and_switched_back_under_searches_and_writes(
    servers: Servers, documents: Path, tmp_path: Path
) -> None:
    (old, new), file = servers.urls, str(tmp_path / "documents.db")
    answers: list[list[Answer]] = [[] for _ in QUESTIONS]
    begun = threading.Event()
    with Rag(old, file, next_url=new) as rag:
        rag.ingest([documents], chunk_size=SIZE, workers=1)
        corpus = stored(file)
        allowed = [exact(old, corpus)]
        with asked_without_pause(rag, answers):
            reports: list[SwitchReport] = []
            switching = threading.Thread(
                target=lambda: reports.append(rag.switch(on_progress=lambda done, total: begun.set(), chunks_per_s=30))
            )
            switching.start()
            assert begun.wait(120)
            run(_add(old, file, "added.txt", QUESTIONS[0]))  # the best document for it, by the old encoder
            gone = allowed[0][1][0]
            run(_delete(old, file, gone))
            assert switching.is_alive()  # these writes fell into the switch
            switching.join()
            assert (reports[0].chunks, reports[0].former) == (300, "documents")
            corpus["added.txt"] = QUESTIONS[0]
            allowed.append(exact(old, corpus))
            del corpus[gone]
            allowed.append(exact(old, corpus))
            assert stored(file) == corpus
            allowed.append(exact(new, corpus))
            until(lambda: [answer[-1] for answer in answers] == allowed[-1], 60)
        assert allowed[2][0][0] == "added.txt"
        assert all(gone not in answer for answer in allowed[-1])
        assert allowed[2] != allowed[3]  # the encoders disagree, so a mixture would show
        for number, found in enumerate(answers):
            assert set(found) <= {state[number] for state in allowed}
            assert len(found) > 10
        with asked_without_pause(rag, answers):
            assert "documents" in rag.roll_back()
            until(lambda: [answer[-1] for answer in answers] == allowed[2], 60)
        for number, found in enumerate(answers):
            assert set(found) <= {state[number] for state in allowed}
        note = tmp_path / "note.txt"
        note.write_text(QUESTIONS[1])
        assert rag.ingest([note], chunk_size=SIZE, workers=1).added == 1
        with pytest.raises(PipelineError, match=r"documents changed since the switch \(1\)"):
            rag.roll_back()
        assert rag.switch().embedded == 1  # the former version has all the others
        assert rag.finish_switch() == ["documents"]
        with pytest.raises(PipelineError, match="there is no former version"):
            rag.roll_back()
        assert [ask(rag, question) for question in QUESTIONS] == exact(new, stored(file))
    with Rag(old, file) as alone, pytest.raises(EncoderMismatch, match="cannot be compared"):
        alone.retrieve(QUESTIONS[0])


async def _add(url: str, file: str, source: str, text: str) -> None:
    async with AsyncRag(url, file) as rag, AsyncClient(url) as client:
        rows = [(StoredDocument("0" * 32, source, "", "0"), Chunk(text, "", None, 0))]
        (await rag.store()).upsert(rows, await client.embed_passages([text]))


async def _delete(url: str, file: str, source: str) -> None:
    async with AsyncRag(url, file) as rag:
        store = await rag.store()
        store.delete([document for document in store.documents() if document.source == source])


def embedded(server: TritonServer) -> int:
    """The number of texts that a server has embedded as passages."""
    endpoint = server.endpoint
    url = f"http://{endpoint.host}:{endpoint.http_port}/v2/models/embed_passage/stats"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(json.load(answer)["model_stats"][0]["inference_count"])


def test_a_switch_that_is_killed_leaves_the_old_version_and_is_continued(
    servers: Servers, documents: Path, tmp_path: Path
) -> None:
    (old, new), command = servers.urls, [COMMAND, "switch", "--json"]
    with milvus_server(tmp_path) as milvus, running(old, tmp_path, "--milvus", milvus, "--next-url", new) as gateway:
        environ = {**os.environ, "RETRITON_URL": old, "RETRITON_MILVUS_URI": milvus, "RETRITON_NEXT_URL": new}
        with Rag(old, milvus, consistency="Strong") as rag:
            rag.ingest([documents], chunk_size=SIZE, workers=1)
        before, found, latest = exact(old, stored(milvus)), set[tuple[str, Answer]](), dict[str, Answer]()
        statuses, done = set[int](), threading.Event()

        def search() -> None:
            with gateway.client() as http:
                while not done.is_set():
                    for question in QUESTIONS:
                        body = {"query": question, "mode": "dense", "top_k": TOP_K, "neighbours": 0, "hops": 1}
                        answer = http.post("/v1/retrieve", json=body)
                        statuses.add(answer.status_code)
                        sources = tuple(passage["source"] for passage in answer.json().get("passages", ()))
                        found.add((question, sources))
                        latest[question] = sources

        searching = threading.Thread(target=search)
        searching.start()
        try:
            first = embedded(servers.new)
            killed = subprocess.Popen([*command, "--chunks-per-s", "60"], env=environ, stdout=subprocess.DEVNULL)
            while embedded(servers.new) <= first + 128:  # until the first batch is stored
                assert killed.poll() is None
                time.sleep(0.1)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert found >= set(zip(QUESTIONS, before, strict=True))
            again = subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
            report = json.loads(again.stdout)
            assert report["chunks"] == 300
            assert 0 < report["embedded"] < 300  # the others were embedded before the kill
            after = exact(new, stored(milvus))
            until(lambda: latest == dict(zip(QUESTIONS, after, strict=True)), 60)
            subprocess.run([*command, "--rollback"], env=environ, check=True, capture_output=True, timeout=120)
            until(lambda: latest == dict(zip(QUESTIONS, before, strict=True)), 60)
        finally:
            done.set()
            searching.join()
        assert statuses == {200}
        assert found == {*zip(QUESTIONS, before, strict=True), *zip(QUESTIONS, after, strict=True)}
        assert before != after
