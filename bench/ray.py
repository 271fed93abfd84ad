"""Ingestion on a Ray cluster of three nodes on this machine, against a stand-in for the server.

``python -m bench.ray`` compares rows, report and time with a single process, kills tasks, workers and nodes at random
moments, and measures one worker against two. The lane is `bench.stub_lane`. The store is a Milvus Lite file, or the
server at ``--milvus``. Prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.measurements import REPOSITORY
from bench.ray_nodes import Nodes, ray_nodes
from bench.stub_lane import lane_process
from retriton_pipeline.ingest import IngestReport
from retriton_pipeline.rag import Rag

_ENCODER = REPOSITORY / "encoder" / "1"
_FIELDS = ["id", "source", "chunk_index", "text", "content_hash", "file"]
_ROWS_PER_PAGE = 1000
Results = dict[str, float]


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="bench.ray", description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--milvus", default="", help="http://host:port; default: Milvus Lite files")
    parser.add_argument("--tokens-per-s", type=float, default=0.0, help="throughput of the lane; 0: without limit")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="retriton-") as name,
        ray_nodes() as nodes,
        lane_process(_ENCODER.resolve(), options.tokens_per_s) as lane,
    ):
        folder = Path(name, "documents")
        write_documents(folder, options.documents)
        runs = _Runs(lane.url, options.milvus, Path(name), folder, nodes)
        results = _printed(runs.compare())
        results |= _printed(runs.kill(options.kills))
    print(json.dumps(results))


def write_documents(folder: Path, count: int) -> None:
    """Writes ``count`` text files of 20 to 99 sentences."""
    folder.mkdir()
    for n in range(count):
        text = " ".join(f"In document {n}, fact {k} about the number {k * n} is known." for k in range(20 + n % 80))
        (folder / f"{n}.txt").write_text(text)


class _Runs:
    """Runs over the same documents."""

    def __init__(self, url: str, milvus: str, scratch: Path, folder: Path, nodes: Nodes) -> None:
        self._url = url
        self._milvus = milvus
        self._scratch = scratch
        self._folder = folder
        self._nodes = nodes
        self._rows: list[tuple[Any, ...]] = []

    def compare(self) -> Results:
        """One process, then one and two workers of the cluster."""
        single, self._rows = self._run("single", workers=1)
        one, rows_of_one = self._run("one", workers=1, ray=self._nodes.address)
        two, rows_of_two = self._run("two", workers=2, ray=self._nodes.address)
        return {
            "documents": single.documents,
            "chunks": single.chunks,
            "rows_equal": float(self._rows == rows_of_one == rows_of_two),
            "reports_equal": float(_counts(single) == _counts(one) == _counts(two)),
            "single_process_s": single.seconds,
            "ray_one_worker_s": one.seconds,
            "ray_two_workers_s": two.seconds,
        }

    def kill(self, kills: int) -> Results:
        """Kills workers and nodes at random moments of runs until there were ``kills``, and compares the rows."""
        chance, done, rounds, differing = random.Random(0), 0, 0, 0
        kinds = dict.fromkeys((kill.__name__ for kill in self._nodes.kills), 0)
        start = time.monotonic()
        while done < kills:
            rounds += 1
            ended = threading.Event()
            found: list[list[tuple[Any, ...]]] = []
            thread = threading.Thread(target=self._into, args=(f"killed_{rounds}", found, ended))
            thread.start()
            while done < kills and not ended.wait(chance.uniform(1.0, 4.0)):
                kill = self._nodes.kills[done % len(kinds)]
                if kill(chance):
                    kinds[kill.__name__] += 1
                    done += 1
            thread.join()
            differing += found != [self._rows]
        return {**kinds, "rounds": rounds, "rounds_with_other_rows": differing, "kills_s": time.monotonic() - start}

    def _into(self, collection: str, found: list[list[tuple[Any, ...]]], ended: threading.Event) -> None:
        try:
            found.append(self._run(collection, workers=2, ray=self._nodes.address)[1])
        finally:
            ended.set()

    def _run(self, collection: str, **options: Any) -> tuple[IngestReport, list[tuple[Any, ...]]]:
        uri = self._milvus or str(self._scratch / f"{collection}.db")
        with Rag(self._url, uri, collection) as rag:
            report = rag.ingest([self._folder], on_progress=_logged(collection), **options)
            return report, _stored(rag)


def _printed(results: Results) -> Results:
    """Prints results as soon as they are known."""
    print()
    for key, value in results.items():
        print(f"{key:32} {value:>12,.3f}", flush=True)
    return results


def _logged(name: str) -> Callable[[Any], None]:
    return lambda progress: print(f"\r{name}: {progress.documents} documents", end="", flush=True)


def _stored(rag: Rag) -> list[tuple[Any, ...]]:
    from retriton_client.blocking import run

    store = run(rag._rag.store())
    version = store.versions.resolve(store.collection)
    assert version is not None, "the runs have stored something"
    pages = store.milvus.pages(
        version,
        batch_size=_ROWS_PER_PAGE,
        filter="chunk_index >= 0",
        output_fields=_FIELDS,
        consistency_level="Strong",
    )
    return sorted(tuple(row[field] for field in _FIELDS) for page in pages for row in page)


def _counts(report: IngestReport) -> tuple[Any, ...]:
    return report.documents, report.chunks, report.added, report.replaced, report.tokens, len(report.skipped)


if __name__ == "__main__":
    main()
