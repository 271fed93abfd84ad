"""The chat endpoint's failures, each as a real one over HTTP shows it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from retriton_pipeline import llm as module
from retriton_pipeline.errors import LLMError
from retriton_pipeline.llm import LLM


@contextmanager
def endpoint(*behaviours: str) -> Iterator[tuple[LLM, list[float]]]:
    """Does one thing after the other, the last one from then on; and the times at which it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def write(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            behaviour = behaviours[min(len(asked), len(behaviours) - 1)]
            asked.append(time.monotonic())
            if behaviour.isdigit():
                self.send_error(int(behaviour))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if behaviour == "stall":
                time.sleep(3)
            for piece in behaviour.split():
                if piece.islower():
                    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
                    event["choices"] = [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]
                    self.write(f"data: {json.dumps(event)}\n\n".encode())
            if behaviour.endswith("BREAK"):
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif behaviour != "EMPTY":
                self.write(b"data: [DONE]\n\n")
                self.write(b"")
            else:
                self.write(b"")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield LLM(f"http://127.0.0.1:{server.server_port}/v1", "m", timeout_s=1.0), asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)


@pytest.mark.parametrize("failures", [["503"], ["429", "500"], ["BREAK"], ["EMPTY"], ["stall"]])
def test_before_the_first_piece_it_is_asked_again(failures: list[str]) -> None:
    with endpoint(*failures, "yes indeed") as (llm, asked):
        assert llm.complete("?") == "yesindeed"
    assert len(asked) == len(failures) + 1


def test_after_the_first_piece_never() -> None:
    with endpoint("yes BREAK", "again") as (llm, asked):
        answer = llm.stream("?")
        assert next(answer) == "yes"
        with pytest.raises(LLMError, match="broke off after the answer had begun"):
            list(answer)
    assert len(asked) == 1


@pytest.mark.parametrize(("status", "times"), [("401", 1), ("404", 1), ("400", 1), ("503", 3)])
def test_what_is_refused_is_named(status: str, times: int) -> None:
    with endpoint(status) as (llm, asked):
        with pytest.raises(LLMError, match=rf"127.0.0.1:\d+/v1 \(m\).*{status}"):
            llm.complete("?")
    assert len(asked) == times
