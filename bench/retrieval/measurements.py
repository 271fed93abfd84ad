"""Measurements of a service with thirty thousand chunks."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from bench.retrieval import corpus
from bench.retrieval.http_load import Answers, HttpLoad, percentile_ms
from bench.served import Served, serving, values
from bench.uploads import upload, wait
from bench.workloads import REPORT
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.retrieval import SearchOptions

MODES = ("dense", "hybrid", "bm25")
_CONNECTIONS = 32
_LOADS = (0.2, 0.4, 0.6, 0.8, 1.0)
_OVERLOAD = 4.0
_RECOVERY_S_MAX = 30.0
_FILE = REPORT / "retrieval" / "milvus.db"
Results = dict[str, float]


def measure(milvus: str, modes: list[str], seconds: float, brief: bool) -> Results:
    """Starts a service, fills it if it is empty, and measures searches in each mode.

    Args:
        milvus: address or file; empty for a file that is kept between runs.
        modes: names of `MODES`.
        seconds: duration of each measurement.
        brief: without the curve, overload and ingestion.
    """
    uri = milvus or str(_FILE.absolute())
    _FILE.parent.mkdir(parents=True, exist_ok=True)
    texts = corpus.paragraphs()
    results: Results = {}
    with serving(RETRITON_MILVUS_URI=uri, RETRITON_QUERY_CACHE_MB="0") as served:
        if filled_s := corpus.fill(served, texts):
            results["retrieve_fill_s"] = filled_s
        for mode in modes:
            load = HttpLoad(served.http_url, "/v1/retrieve", _bodies(mode, corpus.questions(texts)))
            results |= _throughput(served, load, mode, seconds)
            results |= {} if brief else _under_load(served, load, mode, seconds, texts)
        if milvus:  # a file of Milvus Lite belongs to the gateway
            results |= asyncio.run(_library(served.grpc_url, uri, modes, corpus.questions(texts), seconds))
    return results


def _bodies(mode: str, questions: list[str]) -> list[bytes]:
    fixed = {"collection": corpus.COLLECTION, "mode": mode, "top_k": 5}
    return [json.dumps({**fixed, "query": question}).encode() for question in questions]


def _throughput(served: Served, load: HttpLoad, mode: str, seconds: float) -> Results:
    """One connection and many, and the CPU time of a query in each process."""
    load.closed(_CONNECTIONS, 6.0)  # fills the cache of chunks
    idle = load.closed(1, seconds)
    spent: Results = {}
    with _cpu_s(served, spent):
        busy = load.closed(_CONNECTIONS, seconds)
    results = {
        f"retrieve_{mode}_per_s": busy.per_s,
        f"retrieve_{mode}_p50_ms_idle": idle.ms(50),
        f"retrieve_{mode}_p99_ms_idle": idle.ms(99),
        f"retrieve_{mode}_p99_ms": busy.ms(99),
        f"retrieve_{mode}_failed": busy.failed + len(busy.refused_s),
    }
    return results | {f"retrieve_{mode}_cpu_ms_{role}": cpu / len(busy.ok_s) * 1e3 for role, cpu in spent.items()}


def _under_load(served: Served, load: HttpLoad, mode: str, seconds: float, texts: list[str]) -> Results:
    capacity = load.closed(_CONNECTIONS, seconds).per_s
    results: Results = {}
    for share in _LOADS:
        answers = load.open(share * capacity, seconds)
        results |= {f"retrieve_{mode}_p{p}_ms_at_{share * 100:.0f}pct": answers.ms(p) for p in (50, 99)}
    overload = load.open(_OVERLOAD * capacity, seconds)
    results |= _overload(overload, capacity, mode)
    results[f"retrieve_{mode}_recovery_s"] = _recovery_s(load, 2 * results[f"retrieve_{mode}_p99_ms_at_20pct"])
    with httpx.Client(base_url=served.http_url, trust_env=False, timeout=60) as http:
        job = upload(http, f"beside_{mode}", corpus.files(texts[:6000]))
        time.sleep(2.0)
        beside = load.closed(1, seconds)
        wait(http, job)
        http.delete(f"/v1/collections/beside_{mode}")
    return results | {f"retrieve_{mode}_p{p}_ms_beside_ingestion": beside.ms(p) for p in (50, 99)}


def _overload(answers: Answers, capacity: float, mode: str) -> Results:
    sent = len(answers.ok_s) + len(answers.refused_s) + answers.failed
    return {
        f"retrieve_{mode}_overload_goodput_ratio": answers.per_s / capacity,
        f"retrieve_{mode}_overload_refused_share": len(answers.refused_s) / sent,
        f"retrieve_{mode}_overload_refused_p99_ms": percentile_ms(answers.refused_s, 99),
        f"retrieve_{mode}_overload_failed_share": answers.failed / sent,
    }


def _recovery_s(load: HttpLoad, usual_ms: float) -> float:
    """The time until a lone query takes no longer than usual."""
    start = time.monotonic()
    while time.monotonic() - start < _RECOVERY_S_MAX:
        if load.closed(1, 0.0001).ms(50) <= usual_ms:
            break
    return time.monotonic() - start


async def _library(url: str, uri: str, modes: list[str], questions: list[str], seconds: float) -> Results:
    async with AsyncRag(url, uri, collection=corpus.COLLECTION) as rag:
        return {
            f"retrieve_{mode}_per_s_library": await _searches_per_s(rag, mode, questions, seconds) for mode in modes
        }


async def _searches_per_s(rag: AsyncRag, mode: str, questions: list[str], seconds: float) -> float:
    options, asked = SearchOptions.of(mode=mode), itertools.cycle(questions)
    await rag.search(next(asked), options)  # opens the collection
    end = time.monotonic() + seconds

    async def caller() -> int:
        count = 0
        while time.monotonic() < end:
            await rag.search(next(asked), options)
            count += 1
        return count

    return sum(await asyncio.gather(*(caller() for _ in range(_CONNECTIONS)))) / seconds


@contextmanager
def _cpu_s(served: Served, spent: Results) -> Iterator[None]:
    """Adds the CPU seconds of each role's processes to ``spent``."""
    before = _cpu_by_role(served)
    yield
    spent |= {role: after - before[role] for role, after in _cpu_by_role(served).items() if after > before.get(role, 0)}


def _cpu_by_role(served: Served) -> Results:
    return {
        role: sum(values(processes, lambda process: sum(process.cpu_times()[:2])))
        for role, processes in served.by_role().items()
    }
