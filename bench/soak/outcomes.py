"""One request of each outcome. Each function returns what happened in a word or two, which is counted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import httpx
import numpy as np
from numpy.typing import NDArray
from tests.hostile.documents import DOCUMENTS

from retriton_client import AsyncClient, Limits, RetritonError, Retry

COLLECTION = "soak"
_TIMEOUT_S = 20.0
_COSINE_MIN = 0.999
_NOUNS = ("pump", "valve", "gate")
_ARTICLES = [f"The {noun} number {n} is checked every {n} days." for n in range(8) for noun in _NOUNS]
_MALFORMED: list[tuple[str, bytes]] = [
    ("/v1/embeddings", b"{"), ("/v1/embeddings", b'{"model":"query","input":[]}'), ("/v1/retrieve", b'{"query":1}'),
    ("/v1/retrieve", b'{"collection":"soak","query":"a","filter":"((("}'), ("/nothing", b"{}"),
    ("/v1/embeddings", b"\xff\0"),
]  # fmt: skip
_HOSTILE = list(DOCUMENTS.values())
Outcome = Callable[[], Awaitable[str]]


class Requests:
    """Requests of all kinds to a service.

    Args:
        http_url: of the gateway.
        grpc_url: of Triton.

    Attributes:
        wrong: number of vectors that differ from the reference.
        compared: number of vectors that were compared with it.
    """

    def __init__(self, http_url: str, grpc_url: str) -> None:
        self._url = http_url
        self._http = httpx.AsyncClient(base_url=http_url, trust_env=False, timeout=_TIMEOUT_S)
        self._grpc = AsyncClient(
            grpc_url, timeout_s=_TIMEOUT_S, limits=Limits(requests_in_flight=1024), retry=Retry(attempts_max=1)
        )
        self._draw = random.Random(1)
        self._references: dict[str, NDArray[np.float32]] = {}
        self.wrong = self.compared = 0

    async def prepare(self) -> None:
        """Embeds the known texts before anything goes wrong: they are the reference."""
        for role in ("query", "passage"):
            for text in _ARTICLES:
                embedded = await self._grpc.embed([text], "query" if role == "query" else "passage")
                self._references[f"{role} {text}"] = embedded.vectors[0]
        await self.upload()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
        await self._grpc.close()

    def mix(self) -> list[tuple[Outcome, float]]:
        """All kinds of requests, with their shares."""
        return [
            (self.embed_http, 30), (self.embed_grpc, 30), (self.retrieve, 15), (self.upload, 2), (self.too_large, 3),
            (self.too_late, 5), (self.overload, 0.5), (self.cancel, 5), (self.malformed, 5), (self.hostile, 0.7),
            (self.disconnect, 3),
        ]  # fmt: skip

    async def embed_http(self) -> str:
        """Several known texts over HTTP."""
        texts = self._draw.sample(_ARTICLES, self._draw.randint(1, 6))
        body = {"model": "query", "input_type": "query", "input": texts}
        answer = await self._http.post("/v1/embeddings", json=body)
        if answer.status_code == 200:
            vectors = [row["embedding"] for row in answer.json()["data"]]
            self._compare("query", texts, np.array(vectors, np.float32))
        return f"embed over HTTP: {answer.status_code}"

    async def embed_grpc(self) -> str:
        """Several known texts over gRPC, in either lane."""
        texts = self._draw.sample(_ARTICLES, self._draw.randint(1, 6))
        is_query = self._draw.random() < 0.5
        found = await self._grpc.embed(texts, "query" if is_query else "passage")
        self._compare("query" if is_query else "passage", texts, found.vectors)
        return "embed over gRPC: ok"

    async def retrieve(self) -> str:
        """A question."""
        body = {"collection": COLLECTION, "query": self._draw.choice(_ARTICLES)}
        return f"retrieve: {(await self._http.post('/v1/retrieve', json=body)).status_code}"

    async def upload(self) -> str:
        """One of a few documents, whose contents change: the store does not grow without end."""
        text = "\n\n".join(self._draw.sample(_ARTICLES, 6))
        return await self._send_file(f"upload-{self._draw.randint(0, 4)}.md", text.encode(), "upload")

    async def hostile(self) -> str:
        """A hostile document: refused when it is read, or read within the limits."""
        name, content = self._draw.choice(_HOSTILE)()
        return await self._send_file(name, content, "hostile document")

    async def too_large(self) -> str:
        """A text above the limits."""
        body = {"model": "query", "input_type": "query", "input": "pump " * self._draw.choice((1_000, 400_000))}
        return f"too large: {(await self._http.post('/v1/embeddings', json=body)).status_code}"

    async def too_late(self) -> str:
        """A deadline that cannot be met."""
        await self._grpc.embed(_ARTICLES * 4, "passage", timeout_s=self._draw.uniform(0.001, 0.03))
        return "short deadline: met"

    async def overload(self) -> str:
        """Many requests at once: those beyond the queue are refused."""
        calls = [self._grpc.embed([f"{text} {n}" for text in _ARTICLES * 8], "passage") for n in range(60)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        refused = sum(isinstance(result, RetritonError) for result in found)
        return f"overload: {'some' if refused else 'none'} refused"

    async def cancel(self) -> str:
        """A caller that gives up."""
        task = asyncio.ensure_future(self._grpc.embed(_ARTICLES * 8, "passage"))
        await asyncio.sleep(self._draw.uniform(0, 0.05))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return "cancelled"

    async def malformed(self) -> str:
        """A body that is not what the route expects."""
        path, body = self._draw.choice(_MALFORMED)
        answer = await self._http.post(path, content=body, headers={"Content-Type": "application/json"})
        return f"malformed: {answer.status_code}"

    async def disconnect(self) -> str:
        """A connection that ends in the middle of a request or of a response."""
        host, _, port = self._url.split("//")[1].rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        body = b'{"model":"query","input_type":"query","input":"' + b"pump " * 200 + b'"}'
        head = b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += b"Content-Length: %d\r\n\r\n"
        writer.write((head % len(body) + body)[: self._draw.choice((20, 150, 10_000))])
        await writer.drain()
        await asyncio.sleep(self._draw.uniform(0, 0.02))
        writer.transport.abort()
        return "disconnected"

    async def _send_file(self, name: str, content: bytes, kind: str) -> str:
        answer = await self._http.post(f"/v1/collections/{COLLECTION}/documents", files=[("files", (name, content))])
        return f"{kind}: {answer.status_code}"

    def _compare(self, role: str, texts: list[str], vectors: NDArray[np.float32]) -> None:
        for text, vector in zip(texts, vectors, strict=True):
            self.compared += 1
            self.wrong += bool(vector @ self._references[f"{role} {text}"] < _COSINE_MIN)
