"""Attacks on Triton's gRPC port, which has no keys. Each runs for a number of seconds; refusals are ignored."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

Call = Callable[[InferenceServerClient], Any]


def large_direct_calls(host: str, port: int, seconds: float) -> None:
    """Two callers send the encoder [500, 256] tokens, and leave after 1.5 s."""
    _repeat(host, port, seconds, 2, lambda client: _encode(client, 500, 256, client_timeout=1.5))


def small_direct_calls(host: str, port: int, seconds: float) -> None:
    """Eight callers send the encoder [4, 256] tokens, as the query lane would."""
    _repeat(host, port, seconds, 8, lambda client: _encode(client, 4, 256, parameters={"lane": "embed_query"}))


def probes(host: str, port: int, seconds: float) -> None:
    """64 callers send passages of 250 tokens as health probes."""
    text = "token " * 250
    _repeat(host, port, seconds, 64, lambda client: _embed(client, "embed_passage", [text], {"probe": True}))


def large_messages(host: str, port: int, seconds: float) -> None:
    """One caller sends texts of 300 MB."""
    text = "a" * 300_000_000
    _repeat(host, port, seconds, 1, lambda client: _embed(client, "embed_query", [text], {}))


def long_texts(host: str, port: int, seconds: float) -> None:
    """Eight callers send 1 MB of letters without a space, the slowest to tokenize."""
    text = "é" * 500_000
    _repeat(host, port, seconds, 8, lambda client: _embed(client, "embed_query", [text], {"truncate": "END"}))


def empty_passages(host: str, port: int, seconds: float) -> None:
    """Two callers send a million empty passages to the reranking lane."""
    passages = np.full(1_000_000, b"", np.object_)

    def call(client: InferenceServerClient) -> None:
        query = _bytes("query", np.array([b"q"], np.object_))
        client.infer("rerank", [query, _bytes("passages", passages)], client_timeout=10)

    _repeat(host, port, seconds, 2, call)


def _encode(client: InferenceServerClient, rows: int, tokens: int, **options: Any) -> None:
    inputs = []
    for name, value in (("input_ids", 2000), ("attention_mask", 1)):
        array = np.full((rows, tokens), value, np.int64)
        inputs.append(InferInput(name, array.shape, "INT64"))
        inputs[-1].set_data_from_numpy(array)
    client.infer("encoder", inputs, **options)


def _embed(client: InferenceServerClient, lane: str, texts: list[str], parameters: dict[str, Any]) -> None:
    column = np.array([[text.encode()] for text in texts], np.object_)
    client.infer(lane, [_bytes("text", column)], parameters=parameters, client_timeout=20)


def _bytes(name: str, array: Any) -> InferInput:
    tensor = InferInput(name, array.shape, "BYTES")
    tensor.set_data_from_numpy(array)
    return tensor


def _repeat(host: str, port: int, seconds: float, callers: int, call: Call) -> None:
    end = time.monotonic() + seconds

    def caller() -> None:
        client = InferenceServerClient(f"{host}:{port}")
        while time.monotonic() < end:
            try:
                call(client)
            except InferenceServerException:
                time.sleep(0.01)

    threads = [threading.Thread(target=caller, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 30)
