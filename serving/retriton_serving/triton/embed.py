"""The Triton model behind `embed_query` and `embed_passage`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.batching.padding import TokenIds
from retriton_serving.batching.request import Vectors
from retriton_serving.batching.tokenization import LaneTokenizer, RoleTokenizer, decode_text, text_bytes
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract.errors import BadParameter
from retriton_serving.contract.manifest import EncoderSpec
from retriton_serving.contract.models import ENCODER
from retriton_serving.contract.variables import QUERY_CACHE_MB
from retriton_serving.triton.lane import Lane
from retriton_serving.triton.lane_request import Counts


class TritonPythonModel(Lane):
    """Texts to vectors, with the prefix of the lane's role."""

    model = ENCODER
    model_output = "sentence_embedding"

    def load_tokenizer(self, file: Path, spec: EncoderSpec, parameters: dict[str, str]) -> LaneTokenizer:
        """A tokenizer with the prompt of the lane's role."""
        return RoleTokenizer(file, spec.prompts.get(parameters["role"], ""), spec.max_tokens)

    def make_cache(self, parameters: dict[str, str], processes: int) -> VectorCache | None:
        """This process's share of ``cache_mb`` megabytes; for queries the environment overrides the parameter."""
        megabytes = float(parameters["cache_mb"])
        if parameters["role"] == "query":
            megabytes = float(os.environ.get(QUERY_CACHE_MB, megabytes))
        return VectorCache(int(megabytes * 1e6 / processes)) if megabytes else None

    def read_raw(self, request: Any) -> Sequence[bytes]:
        """The input ``text``, BYTES ``[texts, 1]``."""
        raw: Sequence[bytes] = pb_utils.get_input_tensor_by_name(request, "text").as_numpy().reshape(-1)
        return raw

    def raw_bytes(self, raw: Sequence[bytes]) -> list[int]:
        """The sizes of the texts in bytes of UTF-8."""
        return [text_bytes(item, index) for index, item in enumerate(raw)]

    def decode(self, raw: Sequence[bytes]) -> list[str]:
        """The texts."""
        return [decode_text(item, index) for index, item in enumerate(raw)]

    def read_options(self, parameters: Mapping[str, Any]) -> int:
        """The parameter ``dimensions``: how many leading values of each vector are returned; default all."""
        wanted = parameters.get("dimensions", self._spec.dimension)
        if type(wanted) is not int or not 1 <= wanted <= self._spec.dimension:
            raise BadParameter(
                f"dimensions is {wanted!r:.80}, it can be 1 to {self._spec.dimension}",
                dimensions_max=self._spec.dimension,
            )
        return wanted

    def inputs(self, ids: TokenIds, mask: TokenIds) -> dict[str, TokenIds]:
        """Token ids and attention mask, int64 ``[texts, length]``."""
        return {"input_ids": ids, "attention_mask": mask}

    def outputs(self, options: int, rows: Vectors, tokens: Counts, dropped: Counts) -> dict[str, NDArray[Any]]:
        """Vectors with ``options`` dimensions, normalised again if the encoder normalises."""
        if options < rows.shape[1]:
            rows = np.ascontiguousarray(rows[:, :options])
            if self._spec.normalized:  # not in place: a single row may be that of the cache
                rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return {
            "embedding": rows,
            "tokens": tokens[:, np.newaxis],
            "tokens_dropped": dropped[:, np.newaxis],
        }
