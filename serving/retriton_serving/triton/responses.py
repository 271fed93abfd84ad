"""Errors as Triton sends them."""

from __future__ import annotations

from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.contract.errors import Fault, RequestRefused

_STATUS = {Fault.CALLER: "INVALID_ARG", Fault.RETRYABLE: "UNAVAILABLE", Fault.CANCELLED: "CANCELLED"}


def refuse(request: Any, error: RequestRefused) -> None:
    """Answers a request of Triton with an error."""
    request.get_response_sender().send(as_response(error), flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def as_response(error: RequestRefused) -> Any:
    """The error with the status that fits."""
    status = getattr(pb_utils.TritonError, _STATUS[error.fault])  # the stub adds TritonError after this import
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error), status))
