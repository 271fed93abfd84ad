"""gRPC: requests with random tensors and parameters to a served Triton, which must refuse them and keep serving."""

from __future__ import annotations

import os
import random
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from tritonclient.grpc.service_pb2 import ModelInferRequest
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from fuzz.target import Bound, Target, Violation
from retriton_client import Client
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

_REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED,
)  # fmt: skip
_MODELS = ("embed_query", "embed_passage", "rerank", "encoder_info", "encoder", "cross_encoder", "no_model")
_NAMES = ("text", "query", "passages", "input_ids", "attention_mask", "nothing")
_OUTPUTS = (
    "embedding",
    "tokens",
    "tokens_dropped",
    "score",
    "manifest",
    "tokenizer",
    "cross_encoder",
    "sentence_embedding",
    "nothing",
)
_TYPES = ("BYTES", "INT64", "FP32", "BOOL", "INT32", "NONE", "")
_PARAMETERS = (
    "truncate",
    "fingerprint",
    "probe",
    "timeout",
    "priority",
    "sequence_id",
    "sequence_start",
    "triton_enable_empty_final_response",
    "a",
)
_STRINGS = (b"END", b"START", b"none", b"", b"{", b"\xff", b"a" * 5000, b"hello", b"\0", b" ", "é".encode() * 300)
_REQUEST_S_MAX = 20.0
_HEALTH_EVERY = 50


class _Server:
    """The server, and how many requests it got."""

    stub: GRPCInferenceServiceStub
    client: Client
    server: TritonServer
    requests = 0


_state = _Server()


@contextmanager
def _running() -> Iterator[None]:
    repository, environment = (Path(os.environ[name]) for name in ("RETRITON_MODEL_REPOSITORY", "RETRITON_SERVER_ENV"))
    log = Path(tempfile.mkdtemp(prefix="retriton-fuzz-")) / "triton.log"
    with (
        log.open("wb") as output,
        TritonServer(TritonWheel(environment), repository, Endpoint.free(), output) as server,
    ):
        server.wait_ready()
        with grpc.insecure_channel(server.endpoint.grpc_url) as channel, Client(server.endpoint.grpc_url) as client:
            _state.stub, _state.client, _state.server = GRPCInferenceServiceStub(channel), client, server
            yield


def _send(raw: bytes) -> None:
    """``raw`` is a serialized ``ModelInferRequest``, or the seed of one that is drawn."""
    request = ModelInferRequest()
    try:
        request.ParseFromString(raw)
    except Exception:  # noqa: BLE001 - protobuf has no public base class of its errors
        request = drawn(random.Random(raw))
    if len(raw) <= 8:
        request = drawn(random.Random(raw))
    try:
        _state.stub.ModelInfer(request, timeout=_REQUEST_S_MAX)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise Violation(f"no response to {request.model_name} within {_REQUEST_S_MAX:g} s") from error
        if error.code() not in _REFUSALS:
            raise Violation(f"{request.model_name}: {error.code()}: {error.details()}"[:400]) from error
    _state.requests += 1
    if _state.requests % _HEALTH_EVERY == 0:
        _check_health()


def _check_health() -> None:
    if (code := _state.server.exit_code()) is not None:
        raise Violation(f"tritonserver ended with {code}")
    _state.client.check_health()


def drawn(draw: random.Random) -> ModelInferRequest:
    """A request that is sometimes valid, and wrong in one or several ways otherwise."""
    request = ModelInferRequest(
        model_name=draw.choice(_MODELS[:2] if draw.random() < 0.6 else _MODELS), id=draw.choice(("", "a"))
    )
    for _ in range(draw.choice((1, 1, 1, 2, 0, 3))):
        _add_input(request, draw)
    for name in draw.sample(_OUTPUTS, draw.choice((0, 1, 3))):
        request.outputs.add(name=name)
    for name in draw.sample(_PARAMETERS, draw.choice((0, 0, 1, 2))):
        _set_parameter(request, name, draw)
    return request


def _add_input(request: ModelInferRequest, draw: random.Random) -> None:
    texts = [draw.choice(_STRINGS) for _ in range(draw.choice((1, 1, 2, 5, 300, 0)))]
    shape = draw.choice(
        ([len(texts), 1], [len(texts), 1], [len(texts)], [], [-1, 1], [2**40, 1], [1, len(texts)], [0, 1], [2**62, 4])
    )
    kind = "BYTES" if draw.random() < 0.8 else draw.choice(_TYPES)
    name = (
        ("text" if request.model_name.startswith("embed") else draw.choice(_NAMES))
        if draw.random() < 0.8
        else draw.choice(_NAMES)
    )
    request.inputs.add(name=name, datatype=kind, shape=shape)
    content = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    if draw.random() < 0.2:
        content = draw.choice(
            (content[:-1], content + b"\0", b"\xff\xff\xff\x7f" + content, draw.randbytes(draw.randint(0, 64)), b"")
        )
    request.raw_input_contents.append(content)


def _set_parameter(request: ModelInferRequest, name: str, draw: random.Random) -> None:
    parameter = request.parameters[name]
    kind = draw.choice(("string", "int64", "bool"))
    if kind == "string":
        parameter.string_param = draw.choice(_STRINGS).decode("utf-8", "replace")
    elif kind == "int64":
        parameter.int64_param = draw.choice((0, 1, -1, 2**63 - 1, -(2**63), 1_000_000))
    else:
        parameter.bool_param = draw.random() < 0.5


def _seeds() -> dict[str, bytes]:
    return {f"drawn {number}": drawn(random.Random(number)).SerializeToString() for number in range(40)} | {
        "number": b"\xff0"
    }


TARGETS = {"grpc": Target("grpc", _send, _seeds, service=_running, in_process=False, bound=Bound(seconds=5.0))}
