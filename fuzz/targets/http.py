"""HTTP: raw bytes to the gateway's protocol and application, in this process, in front of a stand-in for Triton."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httptools
import numpy as np
import uvicorn
from tests.client import scripted_server
from tests.tokenizers import minilm_encoder
from tritonclient.grpc.service_pb2 import ModelInferRequest, ModelInferResponse
from uvicorn.server import ServerState

from fuzz.target import Bound, Target, Violation
from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.http.connection import BoundedConnection
from retriton_pipeline.gateway.settings import Settings

_SECONDS_MAX = 20.0


class StandIn(scripted_server.ScriptedServer):
    """Describes an encoder, and embeds every text as the same vector."""

    def __init__(self) -> None:
        super().__init__(lambda texts, number: None)

    def ModelInfer(self, request: ModelInferRequest, context: Any) -> ModelInferResponse:  # noqa: N802
        """As Triton."""
        if request.model_name == "encoder_info":
            return _description()
        count = int(request.inputs[-1].shape[0])
        counts = (count,) if request.model_name == "rerank" else (count, 1)
        columns = {
            "embedding": np.full((count, 384), 384**-0.5, np.float32),
            "tokens": np.full(counts, 5, np.int32),
            "tokens_dropped": np.zeros(counts, np.int32),
            "score": np.zeros(count, np.float32),
        }
        response = ModelInferResponse()
        for name in (output.name for output in request.outputs):
            column = columns[name]
            response.outputs.add(
                name=name, datatype="FP32" if column.dtype == np.float32 else "INT32", shape=column.shape
            )
            response.raw_output_contents.append(column.tobytes())
        return response


def _description() -> ModelInferResponse:
    encoder = minilm_encoder()
    names = ("name", "fingerprint", "dimension", "max_tokens", "normalized", "prompts")
    manifest = {"encoder": {name: getattr(encoder, name) for name in names}, "artefact": {"precision": "fp32"}}
    response = ModelInferResponse()
    values = {"manifest": json.dumps(manifest), "tokenizer": encoder.tokenizer, "cross_encoder": ""}
    for name, value in values.items():
        raw = value.encode()
        response.outputs.add(name=name, datatype="BYTES", shape=[1])
        response.raw_output_contents.append(len(raw).to_bytes(4, "little") + raw)
    return response


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.written, self.closed = bytearray(), False

    def write(self, data: Any) -> None:
        if not self.closed:  # as a socket, which drops what is written after it was closed
            self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class _Errors(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage() + (f": {record.exc_info[1]!r}" if record.exc_info else ""))


class _Gateway:
    """The application and the event loop it runs in."""

    loop: asyncio.AbstractEventLoop
    config: uvicorn.Config
    state: ServerState
    errors: _Errors


_gateway = _Gateway()


@contextmanager
def _running() -> Iterator[None]:
    folder = Path(tempfile.mkdtemp(prefix="retriton-fuzz-"))
    original, scripted_server.ScriptedServer = scripted_server.ScriptedServer, lambda script: StandIn()  # type: ignore[misc,assignment]
    _gateway.errors = _Errors()
    logging.getLogger().addHandler(_gateway.errors)
    try:
        with scripted_server.running(lambda texts, number: None) as (url, _):
            _gateway.loop = asyncio.new_event_loop()
            app = create_app(Settings(url, str(folder / "milvus.db")))
            _gateway.config = uvicorn.Config(app, http=BoundedConnection, ws="none", log_config=None, access_log=False)
            _gateway.config.load()
            _gateway.state = ServerState()
            lifespan = _gateway.config.lifespan_class(_gateway.config)
            _gateway.loop.run_until_complete(lifespan.startup())
            yield
            _gateway.loop.run_until_complete(lifespan.shutdown())
    finally:
        scripted_server.ScriptedServer = original  # type: ignore[misc]


def _request(raw: bytes) -> None:
    """Bytes of a connection; a bar between two NUL characters separates packets."""
    written = bytes(_gateway.loop.run_until_complete(asyncio.wait_for(_exchange(raw.split(b"\0|\0")), _SECONDS_MAX)))
    if errors := _gateway.errors.lines[:]:
        _gateway.errors.lines.clear()
        raise Violation(f"the gateway logged {errors[0]}")
    if written:
        _check(written)


async def _exchange(packets: list[bytes]) -> bytearray:
    transport = _Transport()
    protocol = _gateway.config.http_protocol_class(_gateway.config, _gateway.state, {})
    protocol.connection_made(transport)
    for packet in packets:
        if not transport.closed:
            protocol.data_received(packet)
        await asyncio.sleep(0)
    while _gateway.state.tasks and not _waits_for_body(protocol.cycle):  # noqa: ASYNC110 - the tasks are uvicorn's
        await asyncio.sleep(0.001)
    protocol.connection_lost(None)
    await asyncio.sleep(0)
    return transport.written


def _waits_for_body(cycle: Any) -> bool:
    """Whether the request waits for the rest of its body, which does not come."""
    return bool(cycle and cycle.more_body and not cycle.response_started)


def _check(written: bytes) -> None:
    """What was written is HTTP; no status says that the gateway failed."""
    statuses: list[int] = []

    class Handler:
        def on_headers_complete(self) -> None:
            statuses.append(parser.get_status_code())

    parser = httptools.HttpResponseParser(Handler())
    try:
        parser.feed_data(written)
    except httptools.HttpParserError as error:
        raise Violation(f"the response is not HTTP: {error}: {written[:200]!r}") from error
    if 500 in statuses:
        raise Violation(f"the gateway failed: {written[-300:]!r}")


def _post(path: str, body: object, kind: str = "application/json") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nX-Retriton-Token-Ids: own\r\n"
    head += f"Content-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


_FORM = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nThe pump runs.\r\n--b--\r\n'
_SEEDS = {
    "embeddings": _post("/v1/embeddings", {"model": "all-MiniLM-L6-v2", "input": ["a", "b"], "input_type": "query"}),
    "token ids": _post("/v1/embeddings", {"model": "query", "input": [[101, 7592, 102]], "encoding_format": "base64"}),
    "ranking": _post("/v1/ranking", {"model": "m", "query": {"text": "a"}, "passages": [{"text": "b"}]}),
    "rerank": _post("/rerank", {"query": "a", "texts": ["b"]}),
    "voyage": _post("/v1/rerank", {"query": "a", "documents": ["b"], "top_k": 1, "truncation": True}),
    "cohere": _post("/v2/embed", {"texts": ["a"], "input_type": "search_query", "embedding_types": ["int8", "base64"]}),
    "tei": _post("/embed", {"inputs": ["a"], "prompt_name": "query", "truncation_direction": "Left", "truncate": True}),
    "tokenize": _post("/tokenize", {"inputs": "a b", "add_special_tokens": False}),
    "jina": _post("/v1/embeddings", {"input": [{"text": "a"}], "task": "retrieval.query", "embedding_type": "binary"}),
    "playground": _post("/v2/nvcf/pexec/functions/f", {"model": "query", "input": "a", "encoding_format": "float"}),
    "retrieve": _post(
        "/v1/retrieve", {"collection": "a", "query": "b", "top_k": 3, "mode": "bm25", "filter": "page == 1"}
    ),
    "chat": _post("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "a"}]}),
    "upload": _post("/v1/collections/a/documents", _FORM, "multipart/form-data; boundary=b"),
    "list": b"GET /v1/collections/a/documents?limit=1&offset=0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "job": b"DELETE /v1/jobs/job-1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "chunked": b"POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
}
_WORDS = (
    b"\r\n", b"\n", b": ", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"Host: a\r\n", b"Origin: http://evil\r\n", b"\0|\0", b"\0", b"%00", b"%2e%2e/", b"..;/", b"//", b"?", b"HTTP/1.0",
    b"HTTP/9.9", b"PUT", b"OPTIONS", b"HEAD", b"Connection: close\r\n", b"Content-Encoding: gzip\r\n", b"[", b"{", b'"input":', b"null", b"1e999", b"NaN", b"-1",
    b"2147483647", b'"\\ud800"', b'"\\u0000"', b"true", b'"filter":"page/0==1"', b'"history":[{"role":"user","content":"a"}],', b"--b\r\n", b"; filename=\"\"",
    b"; filename*=utf-8''%ff", b"ffffffffffffffff\r\n", b"Authorization: Bearer \xff\r\n", b"Accept: text/event-stream\r\n", b"Range: bytes=0-\r\n", b"dimensions",
)  # fmt: skip

TARGETS = {"http": Target("http", _request, lambda: _SEEDS, words=_WORDS, service=_running, bound=Bound(seconds=4.0))}
