"""A stand-in for a server: it answers as the lane `embed_passage` does, but computes nothing.

``python -m bench.stub_lane MANIFEST_FOLDER`` serves a free port, prints its address, and ends with its standard input.
The vector of a text is drawn from its hash, so that equal texts have equal vectors. With ``--tokens-per-s`` answers
take as long as an encoder of that throughput, and with ``--waiting-texts-max`` requests beyond it are refused, as the
lane refuses them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.service_pb2 import ModelInferRequest, ModelInferResponse
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import deserialize_bytes_tensor, np_to_triton_dtype, serialize_byte_tensor

from retriton_serving.contract.manifest import TOKENIZER_FILE, Manifest
from retriton_serving.contract.models import ENCODER_INFO

_BYTES_PER_TOKEN = 4
_THREADS = 64
_MANIFEST = "manifest.json"
_ROOT = Path(__file__).parent.parent


class StubLane(GRPCInferenceServiceServicer):
    """The service.

    Args:
        encoder: version folder of the model `encoder`, with manifest and tokenizer.
        tokens_per_s: throughput; 0 answers at once.
        waiting_texts_max: number of waiting texts above which requests are refused; 0 refuses none.

    Attributes:
        answered, refused: number of requests.
    """

    def __init__(self, encoder: Path, tokens_per_s: float = 0, waiting_texts_max: int = 0) -> None:
        manifest = (encoder / _MANIFEST).read_bytes(), (encoder / TOKENIZER_FILE).read_bytes()
        self._info = _response({"manifest": _bytes(manifest[0]), "tokenizer": _bytes(manifest[1])})
        self._dimension = Manifest.read(encoder).encoder.dimension
        self._tokens_per_s = tokens_per_s
        self._waiting_texts_max = waiting_texts_max
        self._lock = threading.Lock()
        self._waiting_texts = 0
        self._free_at = 0.0
        self.answered = self.refused = 0

    def ModelInfer(self, request: ModelInferRequest, context: grpc.ServicerContext) -> ModelInferResponse:  # noqa: N802
        """Answers a request of a lane, or for the encoder's description."""
        if request.model_name == ENCODER_INFO:
            return self._info
        texts = list(deserialize_bytes_tensor(request.raw_input_contents[-1]))
        tokens = np.array([[1 + len(text) // _BYTES_PER_TOKEN] for text in texts], np.int32)
        wait_s = self._admitted(len(texts), int(tokens.sum()))
        if wait_s is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "overloaded: too much is waiting")
        time.sleep(wait_s or 0.0)
        with self._lock:
            self._waiting_texts -= len(texts)
            self.answered += 1
        dropped = np.zeros_like(tokens)
        return _response({"embedding": self._vectors(texts), "tokens": tokens, "tokens_dropped": dropped})

    def _admitted(self, texts: int, tokens: int) -> float | None:
        """Returns the seconds until the answer; None if the request is refused."""
        with self._lock:
            if self._waiting_texts_max and self._waiting_texts + texts > self._waiting_texts_max:
                self.refused += 1
                return None
            self._waiting_texts += texts
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + (tokens / self._tokens_per_s if self._tokens_per_s else 0.0)
            return self._free_at - now

    def _vectors(self, texts: list[bytes]) -> NDArray[np.float32]:
        rows = [np.random.default_rng(_seed(text)).standard_normal(self._dimension, np.float32) for text in texts]
        return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)


def _seed(text: bytes) -> int:
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _bytes(value: bytes) -> NDArray[np.object_]:
    return np.array([value], np.object_)


def _response(columns: dict[str, NDArray[Any]]) -> ModelInferResponse:
    response = ModelInferResponse(model_name="stub")
    for name, column in columns.items():
        is_text = column.dtype == np.object_
        kind = "BYTES" if is_text else np_to_triton_dtype(column.dtype)
        response.outputs.add(name=name, datatype=kind, shape=column.shape)
        raw = serialize_byte_tensor(column).item() if is_text else column.tobytes()
        response.raw_output_contents.append(bytes(raw))
    return response


@contextmanager
def serving(lane: StubLane) -> Iterator[str]:
    """Serves ``lane`` in this process; gives its address."""
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    add_GRPCInferenceServiceServicer_to_server(lane, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@dataclass
class LaneProcess:
    """A stub lane in a process of its own.

    Attributes:
        url: its address.
        answered, refused: number of requests, known when it has ended.
    """

    url: str
    answered: int = 0
    refused: int = 0


@contextmanager
def lane_process(encoder: Path, tokens_per_s: float = 0, waiting_texts_max: int = 0) -> Iterator[LaneProcess]:
    """Runs `StubLane` in a process of its own; arguments as there."""
    command = [sys.executable, "-m", "bench.stub_lane", str(encoder)]
    limits = ["--tokens-per-s", str(tokens_per_s), "--waiting-texts-max", str(waiting_texts_max)]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *limits], stdin=pipe, stdout=pipe, text=True, cwd=_ROOT) as process:
        assert process.stdin and process.stdout
        lane = LaneProcess(process.stdout.readline().strip())
        try:
            yield lane
        finally:
            process.stdin.close()
            counts = json.loads(process.stdout.readline())
            lane.answered, lane.refused = counts["answered"], counts["refused"]


def main() -> None:
    """Serves until standard input ends, then prints the counts as JSON."""
    parser = argparse.ArgumentParser(prog="bench.stub_lane", description=__doc__)
    parser.add_argument("encoder", type=Path, help="version folder of the model `encoder`")
    parser.add_argument("--tokens-per-s", type=float, default=0.0)
    parser.add_argument("--waiting-texts-max", type=int, default=0)
    options = parser.parse_args()
    lane = StubLane(options.encoder, options.tokens_per_s, options.waiting_texts_max)
    with serving(lane) as url:
        print(url, flush=True)
        sys.stdin.read()
    print(json.dumps({"answered": lane.answered, "refused": lane.refused}), flush=True)


if __name__ == "__main__":
    main()
