"""Limits on the size and duration of request headers, in a server without Triton."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from retriton_pipeline.gateway.http.header_limits import HeaderLimitsProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Started(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()


@contextmanager
def serving(protocol: type[HeaderLimitsProtocol]) -> Iterator[tuple[str, int]]:
    """The address of a server with ``protocol``, which answers every request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(PlainTextResponse("hello"), http=protocol, log_config=None, lifespan="off")
        server = Started(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert server.is_listening.wait(10)
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server that limits headers to 1 kB and 0.3 s."""

    class SmallLimits(HeaderLimitsProtocol):
        header_bytes_max = 1000
        header_seconds_max = 0.3

    with serving(SmallLimits) as found:
        yield found


def test_headers_within_the_limits_are_accepted(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        for _ in range(2):
            caller.sendall(HEAD + b"X: " + b"x" * 800 + b"\r\n\r\n")
            assert caller.recv(1000).startswith(b"HTTP/1.1 200")


def test_large_headers_close_the_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(HEAD + b"X: " + b"x" * 2000)
        assert received(caller) == b""


def test_slow_headers_close_the_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        start_s = time.monotonic()
        caller.sendall(HEAD)
        assert received(caller) == b""
        assert 0.2 < time.monotonic() - start_s < 5


def test_a_kept_connection_may_be_idle_but_not_slow(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(HEAD + b"\r\n")
        assert caller.recv(1000).startswith(b"HTTP/1.1 200")
        caller.settimeout(0.5)
        with pytest.raises(TimeoutError):  # longer than the limit, and the connection is still open
            caller.recv(1)
        caller.settimeout(10)
        caller.sendall(HEAD)
        assert received(caller) == b""


def received(caller: socket.socket) -> bytes:
    """What is received until the connection is closed."""
    try:
        return caller.recv(1000)
    except ConnectionResetError:
        return b""
