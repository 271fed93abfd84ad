"""Calls of the model that computes, from inside a lane."""

from __future__ import annotations

from collections.abc import Callable

import triton_python_backend_utils as pb_utils

from retriton_serving.batching.padding import TokenIds
from retriton_serving.batching.request import Vectors
from retriton_serving.contract.errors import EncoderUnavailable
from retriton_serving.contract.trust import SECRET, start_secret


class ModelCall:
    """Computes micro-batches with another model of this server, whichever backend runs it.

    Args:
        name: of the model.
        output: of the model.
        lane: the calling lane; the encoder computes micro-batches of queries first.
        inputs: makes the model's inputs from ids and mask.
    """

    def __init__(
        self, name: str, output: str, lane: str, inputs: Callable[[TokenIds, TokenIds], dict[str, TokenIds]]
    ) -> None:
        self._name = name
        self._output = output
        self._parameters = {"lane": lane, SECRET: start_secret()}
        self._inputs = inputs

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        """One micro-batch: float32 ``[texts, ...]``.

        Raises:
            EncoderUnavailable: the model cannot be called, or failed.
        """
        request = pb_utils.InferenceRequest(
            model_name=self._name,
            requested_output_names=[self._output],
            inputs=[pb_utils.Tensor(name, array) for name, array in self._inputs(ids, mask).items()],
            parameters=self._parameters,
        )
        try:
            response = request.exec()
        except pb_utils.TritonModelException as error:
            raise EncoderUnavailable(f"the {self._name} cannot be called: {error}. Try again later.") from error
        if response.has_error():
            raise EncoderUnavailable(f"the {self._name} failed: {response.error().message()}. Try again later.")
        rows: Vectors = pb_utils.get_output_tensor_by_name(response, self._output).as_numpy()
        return rows
