"""An OpenAI-compatible chat endpoint over real HTTP, which does what a test tells it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Says:
    """An answer.

    Attributes:
        pieces: of the text.
        breaks: whether the connection breaks after them.
        ends: whether it says that it is complete.
        stalls_s: before anything is said.
        gap_s: before each piece.
        usage: tokens, told at the end if there are any.
    """

    pieces: tuple[Any, ...] = ()
    breaks: bool = False
    ends: bool = True
    stalls_s: float = 0.0
    gap_s: float = 0.0
    usage: dict[str, int] | None = None


Behaviour = Says | int  # an answer, or the status of a refusal


@dataclass
class ChatEndpoint:
    """What a running endpoint was asked.

    Attributes:
        url: its base address.
        behaviours: one after the other, the last one from then on.
        asked: the bodies of requests.
        times_s: when they came, by the monotonic clock.
        left: set when a caller went before the answer was complete.
    """

    url: str
    behaviours: list[Behaviour]
    asked: list[dict[str, Any]] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def chat_endpoint(*behaviours: Behaviour) -> Iterator[ChatEndpoint]:
    """Serves on a free port of the loopback interface."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    known = ChatEndpoint(f"http://127.0.0.1:{server.server_port}/v1", list(behaviours))
    server.known = known  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def known(self) -> ChatEndpoint:
        return self.server.known  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        known = self.known
        known.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        known.times_s.append(time.monotonic())
        behaviour = known.behaviours[min(len(known.asked), len(known.behaviours)) - 1]
        if isinstance(behaviour, int):
            self.send_error(behaviour)
            return
        try:
            self.say(behaviour)
        except OSError:
            known.left.set()
            self.close_connection = True

    def say(self, says: Says) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        time.sleep(says.stalls_s)
        for piece in says.pieces:
            time.sleep(says.gap_s)
            self.event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        if says.breaks:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if says.ends:
            self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if says.usage:
            self.event({"choices": [], "usage": says.usage})
        if says.ends:
            self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def event(self, values: dict[str, Any]) -> None:
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        self.chunk(f"data: {json.dumps({**head, **values})}\n\n".encode())

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *arguments: object) -> None:
        pass


Body = Callable[[], Iterator[bytes]]


@contextmanager
def raw_endpoint(body: Body, status: int = 200, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serves ``body`` for every request; gives the base address, and the headers of requests."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {"Content-Type": "text/event-stream", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            try:
                for part in body():
                    self.wfile.write(part)
            except OSError:
                pass

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
