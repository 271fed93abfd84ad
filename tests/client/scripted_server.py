"""A KServe v2 gRPC server in this process whose answers are scripted: failures that a real server cannot be asked for.

It embeds a text as (its length, its first byte), and scores it by its length, so that order can be checked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.service_pb2 import (
    InferParameter,
    ModelInferRequest,
    ModelInferResponse,
    ServerReadyRequest,
    ServerReadyResponse,
)
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import deserialize_bytes_tensor, np_to_triton_dtype, serialize_byte_tensor

from retriton_serving.contract.models import ENCODER_INFO, RERANK

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
Fault = tuple[grpc.StatusCode, str]
Script = Callable[[list[bytes], int], Fault | float | None]


class ScriptedServer(GRPCInferenceServiceServicer):
    """Asks ``script`` (texts, number of the request from 1) what to do: fail, sleep some seconds, or (None) answer."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.normalized = False
        self.knows_devices = True
        self.is_ready: Callable[[], bool] = lambda: True
        self.reply = answer
        self.requests: list[tuple[str, list[bytes], dict[str, InferParameter]]] = []

    def ServerReady(self, request: ServerReadyRequest, context: grpc.ServicerContext) -> ServerReadyResponse:  # noqa: N802
        return ServerReadyResponse(ready=self.is_ready())

    def ModelInfer(self, request: ModelInferRequest, context: grpc.ServicerContext) -> ModelInferResponse:  # noqa: N802
        if request.model_name == ENCODER_INFO and request.outputs[0].name == "devices":
            if not self.knows_devices:  # what Triton 2.51 says
                context.abort(_INVALID, "unexpected inference output 'devices' for model 'encoder_info'")
            return bytes_response({"devices": b""})
        if request.model_name == ENCODER_INFO:
            return encoder_info(self.normalized)
        texts = list(deserialize_bytes_tensor(request.raw_input_contents[-1]))
        self.requests.append((request.model_name, texts, dict(request.parameters)))
        verdict = self.script(texts, len(self.requests))
        if isinstance(verdict, tuple):
            context.abort(*verdict)
        time.sleep(verdict or 0)
        return self.reply(request.model_name, texts)


def answer(model: str, texts: list[bytes]) -> ModelInferResponse:
    """Vectors (length, first byte), or the length as the score; tokens 5, none dropped."""
    counts = (len(texts),) if model == RERANK else (len(texts), 1)
    vectors = np.array([[len(text), text[0]] for text in texts], np.float32)
    first = {"score": vectors[:, 0]} if model == RERANK else {"embedding": vectors}
    return response({**first, "tokens": np.full(counts, 5, np.int32), "tokens_dropped": np.zeros(counts, np.int32)})


def response(columns: dict[str, NDArray[Any]]) -> ModelInferResponse:
    """Outputs of these names."""
    response = ModelInferResponse(model_name="scripted")
    for name, column in columns.items():
        kind = np_to_triton_dtype(column.dtype)
        response.outputs.add(name=name, datatype=kind, shape=column.shape)
        response.raw_output_contents.append(column.tobytes())
    return response


def encoder_info(normalized: bool) -> ModelInferResponse:
    """An encoder that does not normalise, unless told to."""
    encoder = {
        "name": "a",
        "fingerprint": "f",
        "dimension": 2,
        "max_tokens": 9,
        "normalized": normalized,
        "prompts": {},
    }
    manifest = {"encoder": encoder, "artefact": {"precision": "fp32"}}
    return bytes_response({"manifest": json.dumps(manifest).encode(), "tokenizer": b"{}"})


def bytes_response(values: dict[str, bytes]) -> ModelInferResponse:
    """Outputs of these names, of one byte string each."""
    response = ModelInferResponse(model_name="scripted")
    for name, value in values.items():
        response.outputs.add(name=name, datatype="BYTES", shape=[1])
        response.raw_output_contents.append(serialized(value))
    return response


def serialized(value: bytes) -> bytes:
    return bytes(serialize_byte_tensor(np.array([value], np.object_)).item())


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
