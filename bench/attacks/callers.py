"""A well-behaved caller, one request at a time, and its latencies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles

import httpx

from bench.served import Served
from bench.uploads import upload, wait
from retriton_client import Client, RetritonError

_PAUSE_S = 0.02
_TIMEOUT_S = 30.0
COLLECTION = "attacked"
_DOCUMENT = ("pumps.md", b"# Pumps\n\nThe pump runs at 40 bar. The valve is checked every day.\n")


@dataclass
class Latencies:
    """What a caller saw.

    Attributes:
        seconds: of each successful request.
        failed: number of all others.
    """

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def summary(self) -> dict[str, float | int | None]:
        """Percentiles in milliseconds, None without a successful request; and the numbers of requests."""
        p50, p99 = (_percentile_ms(self.seconds, percent) for percent in (50, 99))
        return {"p50_ms": p50, "p99_ms": p99, "ok": len(self.seconds), "failed": self.failed}


def _percentile_ms(seconds: list[float], percent: int) -> float | None:
    if len(seconds) < 2:
        return round(seconds[0] * 1e3, 1) if seconds else None
    return round(quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1e3, 1)


def callers(served: Served, key: str) -> dict[str, Callable[[], None]]:
    """A request of each kind. It raises an `httpx.HTTPError` or a `RetritonError` if it fails."""
    http = httpx.Client(
        base_url=served.http_url, trust_env=False, timeout=_TIMEOUT_S, headers={"Authorization": f"Bearer {key}"}
    )
    grpc = Client(served.grpc_url, timeout_s=_TIMEOUT_S)
    query = {"collection": COLLECTION, "query": "how often is the valve checked?"}
    texts = {"model": "query", "input": "how often is the valve checked?", "input_type": "query"}

    def post(path: str, body: dict[str, str]) -> None:
        http.post(path, json=body).raise_for_status()

    def embed(client: Client) -> None:
        client.embed_queries([texts["input"]])

    return {
        "HTTP embeddings": lambda: post("/v1/embeddings", texts),
        "gRPC embed_query": lambda: embed(grpc),
        "HTTP retrieve": lambda: post("/v1/retrieve", query),
    }


def upload_document(served: Served, key: str) -> None:
    """Creates the collection that is searched, and waits for it."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=served.http_url, trust_env=False, timeout=_TIMEOUT_S, headers=headers) as http:
        wait(http, upload(http, COLLECTION, [_DOCUMENT]))


def observe(requests: dict[str, Callable[[], None]], seconds: float) -> dict[str, Latencies]:
    """Sends requests of each kind for ``seconds``, each kind in a thread of its own."""
    found = {name: Latencies() for name in requests}
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_repeat, args=(request, found[name], end)) for name, request in requests.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _repeat(request: Callable[[], None], latencies: Latencies, end: float) -> None:
    while (start := time.monotonic()) < end:
        try:
            request()
        except (httpx.HTTPError, RetritonError):
            latencies.failed += 1
        else:
            latencies.seconds.append(time.monotonic() - start)
        time.sleep(_PAUSE_S)
