"""Bounds of connections, and requests that proxies read differently: raw sockets to a server without Triton."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from retriton_pipeline.gateway.http.connection import BoundedConnection
from retriton_pipeline.gateway.settings import ConnectionBounds

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
BOUNDS = ConnectionBounds(
    connections=4,
    head_bytes=1000,
    headers=10,
    head_s=0.3,
    pipelined=3,
    unread_bytes=5000,
    unread_s=0.3,
    refused_s=1.0,
    send_s=0.3,
)
LARGE = 16 * 1024 * 1024
left = threading.Event()  # a peer of /endless was disconnected


class Started(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with path and body; at once under ``/early``, with many bytes under ``/large`` and ``/endless``."""
    request = Request(scope, receive)
    if scope["path"] == "/endless":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * LARGE, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()
        return
    if scope["path"] == "/parts":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"", b"two", b"three"):
            await send({"type": "http.response.body", "body": part, "more_body": part != b"three"})
        return
    try:
        body = b"" if scope["path"] == "/early" else await request.body()
    except ClientDisconnect:
        return
    text = "x" * LARGE if scope["path"] == "/large" else f"[{scope['path']} {body.decode()} {request.headers.keys()}]"
    await PlainTextResponse(text)(scope, receive, send)


@contextmanager
def serving(protocol: type[BoundedConnection], app: ASGIApp = application) -> Iterator[tuple[str, int]]:
    """The address of a server of ``app`` with ``protocol``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1)
        server = Started(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert server.is_listening.wait(10)
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server with small bounds."""

    class SmallBounds(BoundedConnection):
        bounds = BOUNDS

    with serving(SmallBounds) as found:
        yield found


def answered(address: tuple[str, int], *parts: bytes) -> bytes:
    """All that a server sends until it closes the connection; the parts arrive one after the other."""
    with socket.create_connection(address, timeout=10) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found = b""
        try:
            for part in parts:
                caller.sendall(part)
                caller.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    found += caller.recv(65536)  # the server has read the part
                caller.settimeout(10)
            while received := caller.recv(65536):
                found += received
        except (ConnectionResetError, BrokenPipeError):
            pass
    return found


def test_headers_within_the_limits_are_accepted(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        for _ in range(2):
            caller.sendall(HEAD + b"X: " + b"x" * 800 + b"\r\n\r\n")
            assert caller.recv(2000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X: " + b"x" * 2000,
        HEAD + b"X: " + b"x" * 2000 + b"\r\n\r\n",
        HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\n\r\n",
        HEAD + b"a:b\r\n" * 11 + b"\r\n",
        b"\r\n" * 2000,
    ],
)
@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_large_heads_are_refused_however_they_arrive(address: tuple[str, int], head: bytes, before: bytes) -> None:
    assert answered(address, before + head).count(b"HTTP/1.1 200") <= bool(before)
    if not before:
        assert answered(address, head).startswith(b"HTTP/1.1 431")
        parts = [head[start : start + 400] for start in range(0, min(len(head), 4000), 400)]
        assert b" 200" not in answered(address, *parts)


@pytest.mark.parametrize(
    "framing",
    [
        b"0\r\n" + b"X: y\r\n" * 1000,
        b"0\r\n" + b"X: y\r\n" * 11 + b"\r\n",
        b"0\r\nX: " + b"y" * 5000,
        b"1;" + b"x" * 5000,
        b"0" * 5000,
        b"1;extension\r\nx\r\n" * 1000,
    ],
)
def test_what_surrounds_the_body_is_bounded(address: tuple[str, int], framing: bytes) -> None:
    assert b" 200" not in answered(address, CHUNKED, framing)
    assert b" 200" not in answered(address, CHUNKED.replace(b"/ ", b"/early "), framing)[20:]


def test_chunks_of_one_byte_and_a_trailer_are_accepted_and_the_trailer_is_dropped(address: tuple[str, int]) -> None:
    found = answered(address, CHUNKED + b"1\r\nx\r\n" * 2000 + b"0\r\nAuthorization: y\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200")
    assert b"x" * 2000 in found
    assert b"authorization" not in found


def test_a_refused_peer_is_answered_at_once_and_then_ignored_for_a_while(address: tuple[str, int]) -> None:
    start = time.monotonic()
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(HEAD + b"X: " + b"x" * 2000)
        assert caller.recv(2000).startswith(b"HTTP/1.1 431")
        assert not caller.recv(2000)  # the connection must not be used again
        assert time.monotonic() < start + 0.8
        caller.sendall(NEXT)
        caller.sendall(NEXT)  # after a reset, this would fail
        time.sleep(1.5)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(3):
                caller.sendall(NEXT)
                time.sleep(0.05)


def test_slow_headers_close_the_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        start_s = time.monotonic()
        caller.sendall(HEAD)
        assert received(caller) == b""
        assert 0.2 < time.monotonic() - start_s < 5


@pytest.mark.parametrize("noise", [b"\r\n", HEAD[:10]])
def test_a_kept_connection_may_be_idle_but_not_slow(address: tuple[str, int], noise: bytes) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(HEAD + b"\r\n")
        assert caller.recv(1000).startswith(b"HTTP/1.1 200")
        caller.settimeout(0.5)
        with pytest.raises(TimeoutError):  # longer than the limit, and the connection is still open
            caller.recv(1)
        caller.settimeout(4)  # less than the time that it may be idle
        caller.sendall(noise)
        assert received(caller) == b""


@pytest.mark.parametrize("rest", [b"", b"x" * 1000, b"x" * 10_000])
def test_a_body_after_its_response_is_bounded_in_time_and_size(address: tuple[str, int], rest: bytes) -> None:
    start_s = time.monotonic()
    early = POST.replace(b"/ ", b"/early ")
    found = answered(address, early + b"Content-Length: 1000000000\r\n\r\n", rest)
    assert found.count(b"HTTP/1.1") == 1
    assert time.monotonic() - start_s < 3  # less than the time that a kept connection may be idle


def test_a_connection_is_kept_when_a_short_body_follows_its_response(address: tuple[str, int]) -> None:
    early = POST.replace(b"/ ", b"/early ") + b"Content-Length: 4\r\n\r\n"
    found = answered(address, early, b"rest", NEXT)
    assert found.count(b"HTTP/1.1 200") == 2
    assert b"[/next" in found


def test_pipelined_requests_are_answered_in_order_and_bounded(address: tuple[str, int]) -> None:
    found = answered(address, NEXT + CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + NEXT)
    assert re.findall(rb"\[(/\S* \S*)", found) == [b"/next ", b"/ x", b"/next "]
    assert answered(address, NEXT * 100).count(b"HTTP/1.1 ") <= 1


def test_a_peer_that_does_not_read_is_disconnected(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(HEAD.replace(b"/ ", b"/endless ") + b"\r\n")
        assert left.wait(5)


def test_a_peer_that_reads_gets_everything(address: tuple[str, int]) -> None:
    assert len(answered(address, b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) > LARGE


def test_of_too_many_connections_the_one_that_waits_longest_is_closed(address: tuple[str, int]) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(20)]
        assert answered(address, HEAD + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert received(idle[0]) == b""


@pytest.mark.parametrize("asks", [b"", b"Connection: keep-alive\r\n"])
def test_a_response_to_http_1_0_has_no_chunks_and_ends_with_the_connection(
    address: tuple[str, int], asks: bytes
) -> None:
    head, body = answered(address, b"GET /parts HTTP/1.0\r\n" + asks + b"\r\n").split(b"\r\n\r\n", 1)
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"onetwothree"
    head, body = answered(address, b"HEAD /parts HTTP/1.0\r\n\r\n").split(b"\r\n\r\n", 1)
    assert (b"transfer-encoding" in head, body) == (False, b"")


def test_a_response_to_http_1_0_keeps_its_length(address: tuple[str, int]) -> None:
    found = answered(address, b"POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi")
    assert found.startswith(b"HTTP/1.1 200")  # no 100, which HTTP/1.0 does not have
    head, body = found.split(b"\r\n\r\n", 1)
    assert b"content-length: %d" % len(body) in head


@pytest.mark.parametrize("offer", [b"h2c", b"websocket", b"TLS/1.0"])
@pytest.mark.parametrize("is_split", [False, True])
def test_offers_to_upgrade_are_ignored(address: tuple[str, int], offer: bytes, is_split: bool) -> None:
    body = NEXT  # a request within the body is no request
    head = POST + b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\nUpgrade: " + offer + b"\r\n"
    for framed in (
        b"Content-Length: %d\r\n\r\n" % len(body) + body,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
    ):
        start, rest = framed.split(b"\r\n\r\n", 1)
        request = head + start + b"\r\n\r\n"
        found = answered(address, request, rest, NEXT) if is_split else answered(address, request + rest + NEXT)
        assert re.findall(rb"\[(/\S* ?\S*)", found) == [b"/ GET", b"/next "], found
    assert b"101 " not in found


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        POST + b"Content-Length: 2, 2\r\n\r\nhi",
        POST + b"Content-Length: +2\r\n\r\nhi",
        POST + b"Content-Length: 99999999999999999999\r\n\r\nhi",
        POST + b"Content-Length : 2\r\n\r\nhi",
        POST + b" Content-Length: 2\r\n\r\nhi",
        POST + b"X: a\r\n b\r\n\r\n",
        POST + b"X: a\n\r\n",
        POST + b"X: a\rY: b\r\n\r\n",
        POST + b"X: a\0b\r\n\r\n",
        POST.replace(b"\r", b"") + b"\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: identity, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        POST.replace(b"Host: x\r\n", b"") + b"\r\n",
        CHUNKED + b"2\nhi\n0\n\n",
        CHUNKED + b"2\r\nhiXX0\r\n\r\n",
        CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\nhi",
        HEAD + b"Host: y\r\n\r\n",
        HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_requests_that_others_read_differently_are_refused(address: tuple[str, int], request_: bytes) -> None:
    found = answered(address, request_ + NEXT)
    assert found.startswith(b"HTTP/1.1 400")
    assert found.count(b"HTTP/1.1") == 1  # what follows is not read


def received(caller: socket.socket) -> bytes:
    """What is received until the connection is closed."""
    try:
        return caller.recv(1000)
    except ConnectionResetError:
        return b""
