"""Responses of Triton."""

from __future__ import annotations

from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.contract.errors import Fault, RequestRefused

_STATUS = {
    Fault.CALLER: "INVALID_ARG",
    Fault.RETRYABLE: "UNAVAILABLE",
    Fault.CANCELLED: "CANCELLED",
    Fault.SERVER: "INTERNAL",
}


def send(sender: Any, response: Any) -> None:
    """Sends the only response of a request; a caller that has disconnected is logged."""
    try:
        sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
    except pb_utils.TritonModelException as error:
        pb_utils.Logger.log_warn(f"a response could not be delivered: {error}")


def error_response(error: RequestRefused) -> Any:
    """The error, with its code and numbers, and the status of its fault."""
    status = getattr(pb_utils.TritonError, _STATUS[error.fault])  # the stub adds TritonError after this import
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error.wire), status))
