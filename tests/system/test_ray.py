"""Ingestion on a Ray cluster of three nodes, with a Milvus server and a stand-in for the embedding server."""

from __future__ import annotations

import random
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.ray_nodes import Nodes, ray_nodes
from bench.stub_lane import lane_process

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest import IngestReport, ParserLimits
from retriton_pipeline.rag import Rag
from tests.milvus_server import milvus_server

pytestmark = [
    pytest.mark.milvus,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),  # Ray warns of its own settings
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
]
ENCODER = Path(__file__).parents[2] / "model_repository" / "encoder" / "1"
FIELDS = ["id", "source", "chunk_index", "text", "content_hash", "file"]
LIMITS = ParserLimits(seconds_min=2)
KILLS = 4


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes() as running:
        yield running


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as uri:
        yield uri


@pytest.fixture(scope="module")
def lane(nodes: Nodes) -> Iterator[str]:
    with lane_process(ENCODER) as running:
        yield running.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """150 files; two of them cannot be read, and one holds records, two of which have the same id."""
    folder = tmp_path / "documents"
    folder.mkdir()
    write(folder, "first")
    (folder / "harbour.md").write_text("The harbour has eleven cranes.")
    (folder / "empty.txt").touch()
    (folder / "endless.pdf").write_bytes(b"%PDF-1.4\n no PDF")
    rows = (f'{{"_id": "r{n % 99}", "text": "Record {n} is {n * n}."}}\n' for n in range(100))
    (folder / "records.jsonl").write_text("".join(rows))
    return folder


def write(folder: Path, version: str, count: int = 147) -> None:
    for n in range(count):
        text = " ".join(f"In the {version} version, fact {k} of document {n} is {k * n}." for k in range(20 + n % 40))
        (folder / f"{n}.txt").write_text(text)


def rows(rag: Rag, milvus: str) -> list[dict[str, Any]]:
    from pymilvus import MilvusClient

    client = MilvusClient(milvus)
    found = client.query(rag._rag.collection, "chunk_index >= 0", FIELDS, limit=16_000, consistency_level="Strong")
    client.close()
    return sorted(map(dict, found), key=lambda row: row["id"])


def counts(report: IngestReport) -> dict[str, Any]:
    document = report.as_json() | {"skipped": sorted((entry.source, entry.reason) for entry in report.skipped)}
    return {name: value for name, value in document.items() if name not in ("seconds", "tokens_per_s")}


def test_rows_and_report_are_those_of_a_single_process(nodes: Nodes, milvus: str, lane: str, folder: Path) -> None:
    with Rag(lane, milvus, "one_process") as rag:
        expected = counts(rag.ingest([folder], limits=LIMITS))
        expected_rows = rows(rag, milvus)
    progress = []
    with Rag(lane, milvus, "on_ray") as rag:
        report = rag.ingest([folder], limits=LIMITS, ray=nodes.address, on_progress=progress.append)
        assert counts(report) == expected
        assert len(report.skipped) == 3  # empty, no PDF, the id again
        assert rows(rag, milvus) == expected_rows
        assert progress[-1].bytes_done == progress[-1].bytes_total
        assert [step.documents for step in progress] == sorted(step.documents for step in progress)

        (folder / "3.txt").write_text("Another text.")
        (folder / "4.txt").unlink()
        again = rag.ingest([folder], limits=LIMITS, ray=nodes.address, prune=True)
        assert (again.replaced, again.pruned, again.added) == (1, 1, 0)
        assert again.unchanged == report.added - 2

        rebuilt = rag.ingest([folder], limits=LIMITS, ray=nodes.address, rebuild=True)
        assert rebuilt.added == report.added - 1


def test_killed_tasks_workers_and_nodes_leave_the_rows_of_an_undisturbed_run(
    nodes: Nodes, milvus: str, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    write(folder, "final", 600)
    chance = random.Random(5)
    kills = [nodes.kill_worker, nodes.kill_node, nodes.kill_workers, nodes.kill_worker][:KILLS]
    with lane_process(ENCODER, tokens_per_s=12_000) as lane:
        with Rag(lane.url, milvus, "undisturbed") as rag:
            rag.ingest([folder])
            expected = rows(rag, milvus)
        with Rag(lane.url, milvus, "killed") as rag:
            ended = threading.Event()
            reports = []

            def ingest() -> None:
                try:
                    reports.append(rag.ingest([folder], ray=nodes.address))
                finally:
                    ended.set()

            running = threading.Thread(target=ingest)
            running.start()
            done = 0
            while done < len(kills) and not ended.wait(chance.uniform(0.5, 2.5)):
                done += kills[done](chance)
            running.join()
            assert done == len(kills), "the run ended before it could be killed"
            (report,) = reports
            assert report.documents == 600
            assert not report.skipped
            assert rows(rag, milvus) == expected


def test_milvus_lite_has_one_owner(nodes: Nodes, lane: str, folder: Path, tmp_path: Path) -> None:
    with Rag(lane, tmp_path / "one.db") as rag:
        expected = counts(rag.ingest([folder], limits=LIMITS))
    with Rag(lane, tmp_path / "ray.db") as rag:
        assert counts(rag.ingest([folder], limits=LIMITS, ray=nodes.address)) == expected
        found = rag.retrieve("How many cranes has the harbour?", mode="bm25")
        assert found.passages[0].source.endswith("harbour.md")


def test_files_of_a_url(nodes: Nodes, milvus: str, lane: str, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"corpus/{file.name}")
    url = f"zip://corpus::file://{tmp_path}/all.zip"
    with Rag(lane, milvus, "url") as rag:
        expected, expected_rows = counts(rag.ingest([url], limits=LIMITS)), rows(rag, milvus)
    with Rag(lane, milvus, "url_on_ray") as rag:
        assert counts(rag.ingest([url], limits=LIMITS, ray=nodes.address)) == expected
        assert rows(rag, milvus) == expected_rows
    assert f"zip://corpus/17.txt::file://{tmp_path}/all.zip" in {row["source"] for row in expected_rows}


def test_refusals_hold_back_the_workers(nodes: Nodes, milvus: str, folder: Path) -> None:
    with lane_process(ENCODER, tokens_per_s=20_000, waiting_texts_max=96) as lane:
        with Rag(lane.url, milvus, "refused") as rag:
            report = rag.ingest([folder], limits=LIMITS, ray=nodes.address)
    assert report.chunks > 400
    assert lane.refused < 3 * lane.answered


def test_errors_end_the_run_and_keep_their_class(nodes: Nodes, milvus: str, lane: str, folder: Path) -> None:
    with Rag(lane, milvus, "errors") as rag, pytest.raises(PipelineError, match="cannot be used"):
        rag.ingest([folder], ray="127.0.0.1:1")
