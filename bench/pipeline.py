"""Measures the share of the lane's throughput that ingestion reaches, and the latency of searches.

``python -m bench.pipeline [PATH ...]`` starts a server, ingests the given files (default: the sources of Python's
standard library, as plain text), searches for fragments of them, and prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.measurements import REPOSITORY, SERVER_ENV
from bench.workloads import REPORT
from retriton_client import AsyncClient
from retriton_pipeline.chunking import ChunkSize, with_context
from retriton_pipeline.ingest import IngestReport
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.retrieval import SearchOptions
from retriton_pipeline.store import Store
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

_LANE_TEXTS = 4096
_SEARCHES = 300
_MODES = {  # without neighbours, to measure the search alone
    "dense": SearchOptions(mode="dense", neighbours=0),
    "bm25": SearchOptions(mode="bm25", hops=1, neighbours=0),
    "hybrid": SearchOptions(mode="hybrid", hops=1, neighbours=0),
    "hybrid, 2 hops": SearchOptions(mode="hybrid", hops=2, neighbours=0),
}


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="bench.pipeline", description=__doc__)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--megabytes", type=float, default=6.0, help="size of the default texts")
    parser.add_argument("--chunk-tokens", type=int, default=ChunkSize.tokens)
    options = parser.parse_args()
    os.environ["RETRITON_QUERY_CACHE_MB"] = "0"
    REPORT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, (REPORT / "triton.log").open("wb") as log:
        folder = Path(name)
        paths = options.paths or [_default_texts(folder / "texts", options.megabytes * 1e6)]
        size = ChunkSize.of(options.chunk_tokens)
        with TritonServer(TritonWheel(SERVER_ENV), REPOSITORY, Endpoint.free(), log) as server:
            server.wait_ready()
            results = asyncio.run(_measure(server.endpoint.grpc_url, paths, size, str(folder / "milvus.db")))
    for key, value in results.items():
        print(f"{key:32} {value:>12,.3f}")
    print(json.dumps(results))


async def _measure(url: str, paths: list[Path], size: ChunkSize, uri: str) -> dict[str, float]:
    async with AsyncRag(url, uri) as rag:
        report = await rag.ingest(paths, chunk_size=size)
        rows = await asyncio.to_thread(_rows, await rag.store())
        results = await _throughput(url, report, [with_context(row["context"], row["text"]) for row in rows])
        draw = random.Random(1)
        questions = [_fragment(draw, row["text"]) for row in draw.sample(rows, _SEARCHES)]
        for name, options in _MODES.items():
            results |= await _latency(name, rag, options, questions)
    return results


def _rows(store: Store) -> list[dict[str, Any]]:
    """Returns text and context of all chunks."""
    rows: list[dict[str, Any]] = store.milvus.call(
        "query",
        store.versions.resolve(store.collection),
        filter="chunk_index >= 0",
        output_fields=["context", "text"],
        consistency_level="Strong",
    )
    return rows


async def _throughput(url: str, report: IngestReport, texts: list[str]) -> dict[str, float]:
    draw = random.Random(0)
    async with AsyncClient(url, timeout_s=300) as client:
        lane = await _lane_tokens_per_s(client, draw.sample(texts, min(_LANE_TEXTS, len(texts))))
    ingest = report.tokens / report.seconds
    return {
        "documents": report.documents,
        "chunks": report.chunks,
        "tokens_per_chunk": report.tokens / report.chunks,
        "lane_tokens_per_s": lane,
        "ingest_tokens_per_s": ingest,
        "ingest_ratio": ingest / lane,
    }


async def _lane_tokens_per_s(client: AsyncClient, texts: list[str]) -> float:
    start = time.perf_counter()
    found = await client.embed(texts, "passage")  # one call, which sends parts as the lane has room: it never idles
    return int(found.tokens.sum()) / (time.perf_counter() - start)


async def _latency(name: str, rag: AsyncRag, options: SearchOptions, questions: list[str]) -> dict[str, float]:
    for question in questions[:20]:
        await rag.search(question, options)
    spent = []
    for question in questions:
        start = time.perf_counter()
        await rag.search(question, options)
        spent.append((time.perf_counter() - start) * 1e3)
    return {f"{name} p50 ms": float(np.percentile(spent, 50)), f"{name} p99 ms": float(np.percentile(spent, 99))}


def _fragment(draw: random.Random, text: str) -> str:
    """Returns 5 to 12 consecutive words of a passage, as a substitute for a question."""
    words = text.split()
    start = draw.randrange(max(1, len(words) - 8))
    return " ".join(words[start : start + draw.randint(5, 12)])


def _default_texts(folder: Path, size_bytes: float) -> Path:
    folder.mkdir()
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        if size_bytes > 0:
            shutil.copy(file, folder / f"{file.stem}.txt")
            size_bytes -= file.stat().st_size
    return folder


if __name__ == "__main__":
    main()
