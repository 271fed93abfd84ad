"""The Triton model `rerank`: a query and passages to scores, through the model `cross_encoder`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.batching.padding import TokenIds
from retriton_serving.batching.pair_tokenization import Pair, PairTokenizer, unpack
from retriton_serving.batching.request import Vectors
from retriton_serving.batching.tokenization import LaneTokenizer, decode_text, text_bytes
from retriton_serving.contract.draining import drain_on_request
from retriton_serving.contract.errors import BadParameter, NotInstalled
from retriton_serving.contract.manifest import EncoderSpec, Manifest
from retriton_serving.contract.models import CROSS_ENCODER
from retriton_serving.triton.lane import Lane
from retriton_serving.triton.lane_process import LaneProcess
from retriton_serving.triton.lane_request import Counts
from retriton_serving.triton.responses import error_response, send

_PASSAGES_MAX = 1024
RawPair = tuple[bytes, bytes]  # the query and a passage, in UTF-8


class TritonPythonModel(Lane):
    """One query and its passages a request. Without an installed cross-encoder every request is refused."""

    model = CROSS_ENCODER
    model_output = "score"

    def initialize(self, args: dict[str, str]) -> None:
        """Starts as any lane, if a cross-encoder is installed."""
        self._refusal = Manifest.missing(Path(args["model_repository"]).parent / self.model / "1")
        if self._refusal:
            process = LaneProcess(json.loads(args["model_config"]), args["model_instance_name"])
            drain_on_request(process.name, lambda: None)
        else:
            super().initialize(args)

    def execute(self, requests: list[Any]) -> None:
        """Scores the passages of each request, or refuses it."""
        if not self._refusal:
            super().execute(requests)
            return
        for request in requests:
            send(request.get_response_sender(), error_response(NotInstalled(self._refusal)))

    def finalize(self) -> None:
        """Answers what was admitted."""
        if not self._refusal:
            super().finalize()

    def load_tokenizer(self, file: Path, spec: EncoderSpec, parameters: dict[str, str]) -> LaneTokenizer:
        """A tokenizer of pairs."""
        return PairTokenizer(file, spec.max_tokens)

    def read_raw(self, request: Any) -> Sequence[RawPair]:
        """The inputs ``query``, BYTES ``[1]``, and ``passages``, BYTES ``[n]``."""
        query = pb_utils.get_input_tensor_by_name(request, "query").as_numpy().reshape(-1)
        passages = pb_utils.get_input_tensor_by_name(request, "passages").as_numpy().reshape(-1)
        if len(query) != 1 or not 1 <= len(passages) <= _PASSAGES_MAX:
            raise BadParameter(
                f"{len(query)} queries and {len(passages)} passages; a request has one query and 1 to {_PASSAGES_MAX} "
                "passages",
                queries=len(query),
                passages=len(passages),
                passages_max=_PASSAGES_MAX,
            )
        return [(query[0], passage) for passage in passages]

    def raw_bytes(self, raw: Sequence[RawPair]) -> list[int]:
        """The sizes of what is tokenized, in bytes of UTF-8; the query is tokenized with each passage."""
        query = text_bytes(raw[0][0], None)
        return [query + text_bytes(passage, index) for index, (_, passage) in enumerate(raw)]

    def decode(self, raw: Sequence[RawPair]) -> list[Pair]:
        """The query with each passage."""
        query = decode_text(raw[0][0], None)
        return [Pair(query, decode_text(passage, index)) for index, (_, passage) in enumerate(raw)]

    def inputs(self, ids: TokenIds, mask: TokenIds) -> dict[str, TokenIds]:
        """Token ids, attention mask and token types, int64 ``[pairs, length]``."""
        ids, types = unpack(ids)
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}

    def outputs(self, options: None, rows: Vectors, tokens: Counts, dropped: Counts) -> dict[str, NDArray[Any]]:
        """Scores, float32 ``[n]``."""
        return {"score": np.ascontiguousarray(rows[:, 0]), "tokens": tokens, "tokens_dropped": dropped}
