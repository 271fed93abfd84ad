"""A KServe v2 gRPC server in this process whose answers are scripted: failures that a real server cannot be asked for.

It embeds a text as (its length, its first byte), so that order can be checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import numpy as np
from tritonclient.grpc.service_pb2 import ModelInferRequest, ModelInferResponse
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import deserialize_bytes_tensor

Fault = tuple[grpc.StatusCode, str]
Script = Callable[[list[bytes], int], Fault | float | None]


class ScriptedServer(GRPCInferenceServiceServicer):
    """Asks ``script`` (texts, number of the request from 1) what to do: fail, sleep some seconds, or (None) answer."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[tuple[str, list[bytes], dict[str, str]]] = []

    def ModelInfer(self, request: ModelInferRequest, context: grpc.ServicerContext) -> ModelInferResponse:  # noqa: N802
        texts = list(deserialize_bytes_tensor(request.raw_input_contents[0]))
        parameters = {key: value.string_param for key, value in request.parameters.items()}
        self.requests.append((request.model_name, texts, parameters))
        verdict = self.script(texts, len(self.requests))
        if isinstance(verdict, tuple):
            context.abort(*verdict)
        time.sleep(verdict or 0)
        return answer(texts)


def answer(texts: list[bytes]) -> ModelInferResponse:
    """Vectors (length, first byte), tokens 5, none dropped."""
    response = ModelInferResponse(model_name="scripted")
    columns = {
        "embedding": np.array([[len(text), text[0]] for text in texts], np.float32),
        "tokens": np.full((len(texts), 1), 5, np.int32),
        "tokens_dropped": np.zeros((len(texts), 1), np.int32),
    }
    for name, column in columns.items():
        kind = "FP32" if column.dtype == np.float32 else "INT32"
        response.outputs.add(name=name, datatype=kind, shape=column.shape)
        response.raw_output_contents.append(column.tobytes())
    return response


@contextmanager
def running(script: Script) -> Iterator[tuple[str, ScriptedServer]]:
    """The server's address, and the server."""
    servicer = ScriptedServer(script)
    server = grpc.server(ThreadPoolExecutor(16))
    add_GRPCInferenceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", servicer
    finally:
        server.stop(None).wait()
