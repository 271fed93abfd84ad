"""Attacks on the gateway's port by callers without a key. Each runs for a number of seconds; answers are ignored."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

_HEAD = b"POST /v1/health/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_PIECE = b"x" * 65_536


def endless_trailers(host: str, port: int, seconds: float) -> None:
    """Eight callers send trailer lines without end."""
    _connections(host, port, seconds, 8, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 10_000)


def endless_chunk_extension(host: str, port: int, seconds: float) -> None:
    """Eight callers send the extension of a chunk without end."""
    _connections(host, port, seconds, 8, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", _PIECE)


def endless_head(host: str, port: int, seconds: float) -> None:
    """Eight callers send headers without end."""
    _connections(host, port, seconds, 8, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a: " + _PIECE + b"\r\n")


def unread_bodies(host: str, port: int, seconds: float) -> None:
    """Eight callers send a body of 16 GB to a path that does not exist."""
    head = _HEAD.replace(b"/v1/health/live", b"/nowhere") + b"Content-Length: 16000000000\r\n\r\n"
    _connections(host, port, seconds, 8, head, _PIECE)


def idle_connections(host: str, port: int, seconds: float) -> None:
    """1,000 connections send nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection((host, port), 5))
        time.sleep(seconds)


def pipelined_requests(host: str, port: int, seconds: float) -> None:
    """Eight callers send requests without reading the answers."""
    _connections(host, port, seconds, 8, b"", b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)


def token_ids(host: str, port: int, seconds: float) -> None:
    """Two callers send 12 MB of token ids."""
    _bodies(host, port, seconds, 2, json.dumps({"model": "query", "input": [1] * 4_000_000}).encode())


def nested_json(host: str, port: int, seconds: float) -> None:
    """Two callers send 12 MB of opening brackets."""
    _bodies(host, port, seconds, 2, b'{"input": ' + b"[" * 12_000_000)


def many_keys(host: str, port: int, seconds: float) -> None:
    """Two callers send an object with a million keys."""
    _bodies(host, port, seconds, 2, json.dumps({str(n): n for n in range(1_000_000)}).encode())


def _bodies(host: str, port: int, seconds: float, callers: int, body: bytes) -> None:
    head = b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    _in_threads(seconds, callers, lambda end: _exchange(host, port, request, end))


def _exchange(host: str, port: int, request: bytes, end: float) -> None:
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 30) as peer:
            peer.sendall(request)
            while peer.recv(65_536):
                pass


def _connections(host: str, port: int, seconds: float, callers: int, start: bytes, piece: bytes) -> None:
    """Sends ``start`` and then pieces, again on a new connection when it is closed."""

    def caller(end: float) -> None:
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((host, port), 5) as peer:
                peer.settimeout(1)
                peer.sendall(start)
                while time.monotonic() < end:
                    peer.sendall(piece)
            time.sleep(0.01)

    _in_threads(seconds, callers, caller)


def _in_threads(seconds: float, callers: int, caller: Callable[[float], None]) -> None:
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=caller, args=(end,), daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 30)
