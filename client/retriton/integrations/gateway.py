"""Retrieval from a gateway over HTTP, blocking and asynchronous; knows no framework."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, finalize

import httpx
import numpy as np

from retriton_client import (
    DeadlineExceeded,
    InvalidRequest,
    Overloaded,
    RetritonError,
    Retry,
    ServerFault,
    Unavailable,
)
from retriton_client._arguments import seconds
from retriton_client.proxies import client_options

DEFAULT_GATEWAY = "http://127.0.0.1:8080"
SEARCH_OPTIONS = frozenset(
    {
        "top_k",
        "mode",
        "fusion",
        "dense_weight",
        "candidates",
        "filter",
        "min_score",
        "diversity",
        "rerank",
        "neighbours",
        "hops",
        "decompose",
    }
)
Passage: TypeAlias = dict[str, Any]  # of the response to /v1/retrieve
C = TypeVar("C", httpx.Client, httpx.AsyncClient)
_LoopClient: TypeAlias = tuple[httpx.AsyncClient, AsyncGenerator[None, None]]
_FIELDS = ("number", "source", "title", "context", "page", "document_id", "chunk_index", "score", "scores")
_ERRORS: dict[int, type[RetritonError]] = {
    429: Overloaded,
    502: ServerFault,
    503: Unavailable,
    504: DeadlineExceeded,
}
_PORT_MAX = 65535
_RETRY = Retry(attempts_max=3, delay_first_s=1.0)


class GatewayRetrieval:
    """Asks one gateway for passages. Usable in several threads and event loops, after fork, and pickled.

    Args:
        url: address of the gateway; empty for ``RETRITON_GATEWAY_URL``, or else `DEFAULT_GATEWAY`.
        api_key: empty for ``RETRITON_API_KEY``, or else none.
        timeout_s: seconds for each question, retries included; above 0, at most 1e9.

    Raises:
        InvalidRequest: an argument is not as it says here.
    """

    def __init__(self, url: str = "", api_key: str = "", timeout_s: float = 60.0) -> None:
        self.url = _address(url or os.environ.get("RETRITON_GATEWAY_URL") or DEFAULT_GATEWAY)
        self._key = _header(api_key or os.environ.get("RETRITON_API_KEY", ""))
        self._timeout_s = seconds(timeout_s)
        self._blocking: dict[int, httpx.Client] = {}  # by process: a connection must not be shared after a fork
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClient] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        return GatewayRetrieval, (self.url, self._key, self._timeout_s)

    def retrieve(self, query: str, collection: str = "", **options: Any) -> list[Passage]:
        """The best passages for a question, best first.

        Args:
            query: the question.
            collection: empty for the gateway's default.
            options: search options by name, such as ``top_k`` and ``filter``; None is the default.

        Raises:
            InvalidRequest: there is no such option or collection, a value is invalid, or the API key is.
            Overloaded, Unavailable: the gateway refused all attempts, or cannot be reached.
            DeadlineExceeded: there was no response in time.
            ServerFault: the response is not that of a gateway.
        """
        body, deadline_s = _body(query, collection, options), time.monotonic() + self._timeout_s
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._attempt(body, deadline_s)
            except (RetritonError, httpx.HTTPError) as error:
                pause_s = self._pause_s(error, attempt, deadline_s)
            time.sleep(pause_s)

    async def retrieve_async(self, query: str, collection: str = "", **options: Any) -> list[Passage]:
        """As `retrieve`, without blocking the event loop; the gateway stops when the task is cancelled."""
        body, deadline_s = _body(query, collection, options), time.monotonic() + self._timeout_s
        attempt = 0
        while True:
            attempt += 1
            try:
                client = await self._async_client()
                async with asyncio.timeout(deadline_s - time.monotonic()):
                    response = await client.post("/v1/retrieve", content=body, **self._bounds(deadline_s))
                return _passages(response, response.content)
            except (RetritonError, httpx.HTTPError, TimeoutError) as error:
                pause_s = self._pause_s(error, attempt, deadline_s)
            await asyncio.sleep(pause_s)

    def _attempt(self, body: bytes, deadline_s: float) -> list[Passage]:
        """One request. Its timeout is that of each read, so that a slow response could take longer."""
        parts = []
        with self._client().stream("POST", "/v1/retrieve", content=body, **self._bounds(deadline_s)) as response:
            for part in response.iter_bytes():
                parts.append(part)
                if time.monotonic() > deadline_s:
                    raise httpx.ReadTimeout("the response is not complete in time")
        return _passages(response, b"".join(parts))

    def _client(self) -> httpx.Client:
        process = os.getpid()
        if process not in self._blocking:
            client = self._opened(httpx.Client)
            self._blocking = {process: client}
            finalize(self, client.close)
        return self._blocking[process]

    async def _async_client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._by_loop:
            client = self._opened(httpx.AsyncClient)
            self._by_loop[loop] = client, _open_until_loop_ends(client)
            await anext(self._by_loop[loop][1])
        return self._by_loop[loop][0]

    def _opened(self, kind: type[C]) -> C:
        """A new HTTP client. Raises `InvalidRequest` if the environment's proxies are needed, and cannot be used."""
        try:
            return kind(base_url=self.url, headers=self._headers, **client_options(self.url))
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise InvalidRequest(f"the proxy settings in the environment cannot be used: {error}") from error

    @property
    def _headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return {"Content-Type": "application/json", **key}

    def _bounds(self, deadline_s: float) -> dict[str, Any]:
        """What ends one attempt on both sides at the deadline."""
        left_s = max(deadline_s - time.monotonic(), 1e-3)
        left_ms = min(max(int(left_s * 1e3), 1), 999_999_999)
        return {"timeout": left_s, "headers": {"X-Request-Timeout-Ms": str(left_ms)}}

    def _pause_s(self, error: Exception, attempt: int, deadline_s: float) -> float:
        """Seconds until the next attempt. Raises the error, as one of Retriton's, if there is none."""
        failure = error if isinstance(error, RetritonError) else _unreachable(error, self.url)
        pause_s = _RETRY.delay_s(attempt)
        if not failure.retryable or attempt == _RETRY.attempts_max or time.monotonic() + pause_s >= deadline_s:
            raise failure from (None if failure is error else error)
        return pause_s


def passage_id(passage: Passage) -> str:
    """An id that is the same in every search: of the document, and of the passage's first chunk in it."""
    return f"{passage['document_id']}-{passage['chunk_index']}"


def passage_metadata(passage: Passage) -> dict[str, Any]:
    """The metadata of the document, and the passage's own: number for citations, source, page, scores."""
    own = {name: passage[name] for name in _FIELDS if passage[name] is not None}
    return {**passage["metadata"], **own}


async def _open_until_loop_ends(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Closes the client with its event loop, which closes asynchronous generators; or when nothing refers to it."""
    async with client:
        yield


def _address(url: str) -> str:
    plain = url.strip() if isinstance(url, str) else ""
    try:
        parsed = httpx.URL(plain)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 1) > _PORT_MAX or " " in plain:
        raise InvalidRequest(f"the gateway's address is {url!r:.200}, it can be http://HOST:PORT or https://HOST:PORT")
    return plain.rstrip("/")


def _header(key: str) -> str:
    """The key as a header can have it; files and variables often end with a line feed."""
    if not isinstance(key, str) or not key.strip().isascii() or not all(map(str.isprintable, key.strip())):
        raise InvalidRequest("the API key has characters that no key has")
    return key.strip()


def _body(query: str, collection: str, options: Mapping[str, Any]) -> bytes:
    if unknown := sorted(options.keys() - SEARCH_OPTIONS):
        raise InvalidRequest(f"there is no search option {unknown[0]!r}; there are {', '.join(sorted(SEARCH_OPTIONS))}")
    body = {"query": query, "collection": collection or None, **options}
    try:
        return json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"the question or a search option cannot be sent as JSON: {error}") from None


def _plain(value: object) -> Any:
    """A number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.60} is of the type {type(value).__name__}")


def _passages(response: httpx.Response, content: bytes) -> list[Passage]:
    """The passages of a response. Raises the error that it stands for."""
    try:
        body = json.loads(content)
        if response.is_success:
            return list(body["passages"])
        code, sentence = str(body["error"]["code"]), str(body["error"]["message"])
    except (ValueError, TypeError, KeyError):
        code, sentence = "", f"{response.url} does not respond as a gateway (status {response.status_code})"
    default = InvalidRequest if code and response.status_code < 500 else ServerFault
    failure = _ERRORS.get(response.status_code, default)(sentence)
    failure.code = code
    raise failure


def _unreachable(error: Exception, url: str) -> RetritonError:
    kind = DeadlineExceeded if isinstance(error, httpx.TimeoutException | TimeoutError) else Unavailable
    return kind(f"the gateway at {url} does not respond: {str(error) or type(error).__name__}")
