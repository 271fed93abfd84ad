"""What the retrievers of frameworks send to a gateway: arguments are accepted where their meaning is plain."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from retriton.integrations.gateway import GatewayRetrieval
from retriton_client import DeadlineExceeded, InvalidRequest

NOWHERE = "http://127.0.0.1:9"
KEY = "rt-key"


class Gateway(BaseHTTPRequestHandler):
    """Returns the request as a passage."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = json.dumps({"passages": [{"body": body, "headers": headers, "path": self.path}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server with ``handler``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(Gateway) as found:
        yield found


def test_numbers_of_numpy_and_spaces_around_address_and_key_are_accepted(url: str) -> None:
    gateway = GatewayRetrieval(f" {url}/ ", f"{KEY}\n", np.float32(5))
    options: dict[str, Any] = {"top_k": np.int64(3), "min_score": np.float32(0.5), "rerank": np.bool_(True)}
    for found in (gateway.retrieve("größe", **options), asyncio.run(gateway.retrieve_async("größe", **options))):
        assert found[0]["body"] == {"query": "größe", "collection": None, "top_k": 3, "min_score": 0.5, "rerank": True}
        assert found[0]["headers"]["authorization"] == f"Bearer {KEY}"
        assert found[0]["headers"]["content-type"] == "application/json"
        assert found[0]["path"] == "/v1/retrieve"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8080", "ftp://a", "http://", "http:/a", "http://[::1", "http://a:99999", "http://a b", 5, b"x"],
)
def test_a_wrong_address_is_refused_at_once(address: Any) -> None:
    with pytest.raises(InvalidRequest, match="it can be http://HOST:PORT"):
        GatewayRetrieval(address)


@pytest.mark.parametrize("key", ["ключ", "a\nb", "a\0", 5])
def test_a_wrong_key_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(InvalidRequest, match="the API key has characters that no key has"):
        GatewayRetrieval(NOWHERE, key)


@pytest.mark.parametrize("timeout_s", [float("inf"), float("nan"), 0, -1, True, "5", None, 1e13])
def test_a_timeout_is_a_number_in_bounds(timeout_s: Any) -> None:
    with pytest.raises(InvalidRequest, match="timeout_s is"):
        GatewayRetrieval(NOWHERE, "", timeout_s)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("a\ud800", {}),
        (b"a", {}),
        ("a", {"filter": {"a"}}),
        ("a", {"min_score": float("nan")}),
        ("a", {"min_score": np.float64("inf")}),
        ("a", {"mode": object()}),
    ],
)
def test_what_json_cannot_have_is_refused(query: Any, options: dict[str, Any]) -> None:
    gateway = GatewayRetrieval(NOWHERE)
    with pytest.raises(InvalidRequest, match="cannot be sent as JSON"):
        gateway.retrieve(query, **options)
    with pytest.raises(InvalidRequest, match="cannot be sent as JSON"):
        asyncio.run(gateway.retrieve_async(query, **options))


class Trickling(BaseHTTPRequestHandler):
    """Sends a byte every tenth of a second."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.1)

    def log_message(self, *arguments: object) -> None:
        pass


def test_a_response_that_trickles_ends_at_the_deadline() -> None:
    with served(Trickling) as url:
        gateway = GatewayRetrieval(url, timeout_s=0.5)
        for ask in (gateway.retrieve, lambda query: asyncio.run(gateway.retrieve_async(query))):
            start = time.monotonic()
            with pytest.raises(DeadlineExceeded, match="does not respond"):
                ask("q")
            assert time.monotonic() - start < 2
