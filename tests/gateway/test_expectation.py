"""`Expect: 100-continue`: refusals come before the body is sent. Raw sockets to a gateway without Triton."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from retriton_pipeline.gateway import Bounds, Settings, new_key
from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.http.connection import BoundedConnection
from tests.gateway.test_connection import serving

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODY = b'{"model": "m", "input": 1}'  # no embedding needs a server to be refused


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[str, int], str]]:
    """The address of a gateway, and a key."""
    key, line = new_key("tests")
    keys = tmp_path_factory.mktemp("expectation") / "keys"
    keys.write_text(f"{line}\n")
    bounds = Bounds(body_bytes=1000, upload_bytes=2000)
    settings = Settings(url="127.0.0.1:9", milvus="http://127.0.0.1:9", keys_file=keys, bounds=bounds)
    with serving(BoundedConnection, create_app(settings)) as address:
        yield address, key


def head(path: str, key: str, framing: str, kind: str = "application/json") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", f"Content-Type: {kind}", framing]
    return "\r\n".join([*lines, "Expect: 100-Continue", "", ""]).encode()


def until_closed(caller: socket.socket) -> bytes:
    found = b""
    while received := caller.recv(65536):
        found += received
    return found


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/embeddings", 1001, 413),
        ("/v1/collections/c/documents", 2001, 413),
        ("/v1/files", 10**12, 413),
        ("/v1/embeddings", 10, 401),
    ],
)
def test_what_is_refused_is_refused_before_its_body_is_sent(
    gateway: tuple[tuple[str, int], str], path: str, size: int, status: int
) -> None:
    address, key = gateway
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(head(path, "wrong" if status == 401 else key, f"Content-Length: {size}"))
        found = until_closed(caller)  # a next request would be read as the body
    assert found.startswith(f"HTTP/1.1 {status} ".encode())
    start, _, body = found.partition(b"\r\n\r\n")
    assert b"connection: close" in start.lower()
    message = json.loads(body)["error"]["message"]
    assert status == 401 or f"the body has {size} bytes or more, the limit is" in message


def test_other_bodies_are_asked_for_and_the_connection_is_kept(gateway: tuple[tuple[str, int], str]) -> None:
    address, key = gateway
    with socket.create_connection(address, timeout=10) as caller:
        for _ in range(2):
            caller.sendall(head("/v1/embeddings", key, f"Content-Length: {len(BODY)}"))
            assert caller.recv(len(CONTINUE)) == CONTINUE
            caller.sendall(BODY)
            found = caller.recv(65536)
            assert found.startswith(b"HTTP/1.1 422 ")
            assert b"connection: close" not in found.lower()


def test_a_body_of_unknown_size_is_refused_once_it_is_too_large(gateway: tuple[tuple[str, int], str]) -> None:
    address, key = gateway
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(head("/v1/embeddings", key, "Transfer-Encoding: chunked"))
        assert caller.recv(len(CONTINUE)) == CONTINUE
        caller.sendall(b"7d0\r\n" + b"x" * 2000)
        assert caller.recv(65536).startswith(b"HTTP/1.1 413 ")
