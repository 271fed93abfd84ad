"""`python -m bench.switch`: what callers of searches notice while the collection is switched to another encoder.

Two servers with all-MiniLM-L6-v2, the second with another pooling, and a collection in Milvus Lite, on one machine.
Searches arrive at a fixed rate, whether or not earlier ones have ended, in these phases: idle; while the second server
embeds the same texts at the same pace and nothing is written; during the switch; and after it. No model is loaded again
in a running server: a server closes that API to everyone.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from bench.measurements import SERVER_ENV
from bench.retrieval.corpus import paragraphs, questions
from bench.served import json_line
from retriton_client import AsyncClient
from retriton_export import Checkpoint, Overrides, export_encoder
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.store import Store, StoredDocument
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel, create_repository

_BATCH = 128


async def _searches(rag: AsyncRag, asked: Iterator[str], rate: float, until: Awaitable[object]) -> dict[str, float]:
    """Searches at ``rate`` a second until ``until`` is done; numbers and percentiles in milliseconds."""
    latencies_ms: list[float] = []
    work, tasks, start = asyncio.ensure_future(until), [], time.monotonic()

    async def search(question: str) -> None:
        began = time.monotonic()
        await rag.retrieve(question, mode="dense", hops=1)
        latencies_ms.append((time.monotonic() - began) * 1e3)

    while not work.done():
        tasks.append(asyncio.create_task(search(next(asked))))
        await asyncio.sleep(max(0.0, start + len(tasks) / rate - time.monotonic()))
    await asyncio.gather(work, *tasks)
    percentiles = quantiles(latencies_ms, n=100, method="inclusive")  # never above the slowest
    return {
        "searches": len(latencies_ms),
        "seconds": round(time.monotonic() - start, 1),
        "p50_ms": round(median(latencies_ms), 1),
        "p99_ms": round(percentiles[98], 1),
        "max_ms": round(max(latencies_ms), 1),
    }


async def _embed(url: str, texts: Sequence[str], pace: float) -> None:
    """Embeds ``texts`` at ``pace`` a second."""
    async with AsyncClient(url) as client:
        for batch in batched(texts, _BATCH):
            began = time.monotonic()
            await client.embed_passages(batch, truncate="END")
            await asyncio.sleep(max(0.0, began + len(batch) / pace - time.monotonic()))


async def _fill(url: str, file: str, texts: Sequence[str]) -> None:
    async with AsyncClient(url) as client:
        store = Store(file, "documents")
        store.open(await client.encoder_info(), create=True)
        for batch in batched(enumerate(texts), _BATCH):
            rows = [(StoredDocument(f"{n:032x}", str(n), "", "0"), Chunk(text, "", None, 0)) for n, text in batch]
            store.upsert(rows, np.asarray(await client.embed_passages([text for _, text in batch], truncate="END")))
        store.close()


async def measure(
    old: TritonServer, new: TritonServer, file: str, chunks: int, rate: float, pace: float, seconds: float
) -> dict[str, dict[str, float]]:
    """The phases."""
    corpus = paragraphs()
    texts = corpus[:chunks]
    asked, urls = cycle(questions(corpus)), (old.endpoint.grpc_url, new.endpoint.grpc_url)
    await _fill(urls[0], file, texts)
    found = {}
    async with AsyncRag(urls[0], file, next_url=urls[1]) as rag:
        await _searches(rag, asked, rate, asyncio.sleep(5))  # the first searches are slower
        found["idle"] = await _searches(rag, asked, rate, asyncio.sleep(seconds))
        found["embedding alone"] = await _searches(rag, asked, rate, _embed(urls[1], texts, pace))
        found["switch"] = await _searches(rag, asked, rate, rag.switch(chunks_per_s=pace, truncate=True))
        found["after"] = await _searches(rag, asked, rate, asyncio.sleep(seconds))
    return found


@contextmanager
def _servers(folder: Path) -> Iterator[tuple[TritonServer, TritonServer]]:
    triton = TritonWheel(SERVER_ENV)
    with ExitStack() as stack:
        servers = []
        for pooling in ("mean", "cls"):
            repository = create_repository(folder / pooling)
            export_encoder(Checkpoint.read(None, Overrides(pooling=pooling)), repository)
            log = stack.enter_context((folder / f"{pooling}.log").open("wb"))
            servers.append(stack.enter_context(TritonServer(triton, repository, Endpoint.free(), log)))
        for server in servers:
            server.wait_ready()
        yield servers[0], servers[1]


def main() -> None:
    """Starts the servers, measures and prints."""
    parser = argparse.ArgumentParser(prog="bench.switch", description=__doc__)
    parser.add_argument("--chunks", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10.0, help="searches per second")
    parser.add_argument("--pace", type=float, default=40.0, help="chunks per second")
    parser.add_argument("--seconds", type=float, default=25.0, help="of the phases without a switch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="retriton-bench-") as name, _servers(Path(name)) as (old, new):
        file = str(Path(name) / "documents.db")
        found = asyncio.run(measure(old, new, file, options.chunks, options.rate, options.pace, options.seconds))
    print("| phase | searches | seconds | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for phase, values in found.items():
        print(f"| {phase} | {' | '.join(str(value) for value in values.values())} |")
    print(json_line(found))


if __name__ == "__main__":
    main()
