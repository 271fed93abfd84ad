"""Ingestion and search: how much of the lane's throughput ingestion gets, and what a search takes.

``python -m bench.pipeline [PATH ...]`` starts a server of its own, ingests the given files (default: the sources of
Python's library, as plain text), searches for pieces of them, prints a table, and ends with one JSON line.
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
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.measurements import REPOSITORY, SERVER_ENV
from bench.workloads import REPORT
from retriton_client import AsyncClient, Client
from retriton_pipeline.chunking import ChunkSize, with_context
from retriton_pipeline.documents import find_files
from retriton_pipeline.ingest import Ingestion
from retriton_pipeline.ingest.reading import WORKERS, Reader
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.store import Store
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

_LANE_TEXTS = 4096
_TEXTS_PER_CALL = 1024
_SEARCHES = 300
_MODES = {
    "dense": SearchOptions(mode="dense"),
    "bm25": SearchOptions(mode="bm25", hops=1),
    "hybrid": SearchOptions(mode="hybrid", hops=1),
    "hybrid, 2 hops": SearchOptions(mode="hybrid", hops=2),
}


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(prog="bench.pipeline", description=__doc__)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--megabytes", type=float, default=6.0, help="of the default texts")
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
            results = _measure(server.endpoint.grpc_url, paths, size, str(folder / "milvus.db"))
    for key, value in results.items():
        print(f"{key:32} {value:>12,.3f}")
    print(json.dumps(results))


def _measure(url: str, paths: list[Path], size: ChunkSize, uri: str) -> dict[str, float]:
    store = Store(uri, "documents")
    results = asyncio.run(_ingest(url, store, paths, size))
    with Client(url) as client:
        retriever = Retriever(client, store)
        rows = store._query("chunk_index >= 0", ["text"])
        draw = random.Random(1)
        questions = [_piece(draw, row["text"]) for row in draw.sample(rows, _SEARCHES)]
        for name, options in _MODES.items():
            results |= _latency(name, lambda text, options=options: retriever.retrieve(text, 5, options), questions)
    store.close()
    return results


async def _ingest(url: str, store: Store, paths: list[Path], size: ChunkSize) -> dict[str, float]:
    async with AsyncClient(url, timeout_s=300) as client:
        encoder = await client.encoder_info()
        store.open(encoder, create=True)
        reader = Reader(encoder, size, WORKERS)
        report = await Ingestion(client, store, reader).run(find_files(paths))
        reader.close()
        texts = [
            with_context(row["context"], row["text"])
            for row in store._query(f"chunk_index >= 0 and chunk_index < {_LANE_TEXTS}", ["context", "text"])
        ]
        draw = random.Random(0)
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
    tokens = 0
    for first in range(0, len(texts), _TEXTS_PER_CALL):
        tokens += int((await client.embed(texts[first : first + _TEXTS_PER_CALL], "passage")).tokens.sum())
    return tokens / (time.perf_counter() - start)


def _latency(name: str, search: Callable[[str], object], questions: list[str]) -> dict[str, float]:
    for question in questions[:20]:
        search(question)
    spent = []
    for question in questions:
        start = time.perf_counter()
        search(question)
        spent.append((time.perf_counter() - start) * 1e3)
    return {f"{name} p50 ms": float(np.percentile(spent, 50)), f"{name} p99 ms": float(np.percentile(spent, 99))}


def _piece(draw: random.Random, text: str) -> str:
    """Some words of a passage, as a question would have them."""
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
