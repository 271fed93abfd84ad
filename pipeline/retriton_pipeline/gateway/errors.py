"""Errors as HTTP reports them: a status, a code for programs, and a message; internal causes only go to the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from retriton_client import (
    DeadlineExceeded,
    InvalidRequest,
    NotInstalled,
    Overloaded,
    RetritonError,
    ServerFault,
    TextTooLong,
    Unavailable,
    WrongEncoder,
)
from retriton_pipeline.errors import (
    CollectionFrozen,
    CollectionOutdated,
    EncoderMismatch,
    LLMError,
    NoBm25Index,
    NoSuchCollection,
    PipelineError,
    StoreError,
)
from retriton_pipeline.gateway.storage.database import StorageError
from retriton_pipeline.gateway.storage.pages import UnknownCursor

log = logging.getLogger("retriton.gateway")
RETRY_AFTER_S = 1


@dataclass
class ApiError(Exception):
    """A request that ends in an error response.

    Attributes:
        status: the HTTP status.
        code: for programs.
        message: for people.
        param: the field of the request that is wrong.
        retry_after_s: seconds until a retry makes sense; None where it does not.
        headers: further headers of the response, for example ``Allow``.
    """

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_temporary(self) -> bool:
        """Whether the same may succeed later: a server is overloaded, cannot be reached, or takes too long."""
        return self.status in (429, 503, 504)


_PUBLIC: dict[type[Exception], ApiError] = {
    NotInstalled: ApiError(404, "model_not_found", "no cross-encoder is installed: `retriton export` installs one"),
    WrongEncoder: ApiError(503, "encoder_changed", "the encoder was replaced: try again", None, RETRY_AFTER_S),
    NoSuchCollection: ApiError(404, "collection_not_found", "there is no such collection: upload documents first"),
    NoBm25Index: ApiError(400, "no_keyword_search", "the collection has no BM25 index: search with mode dense"),
    TextTooLong: ApiError(400, "text_too_long", "", "input"),
    InvalidRequest: ApiError(400, "invalid_request", ""),
    CollectionFrozen: ApiError(
        503, "collection_frozen", "the collection is being switched: try again", None, RETRY_AFTER_S
    ),
    EncoderMismatch: ApiError(409, "encoder_mismatch", ""),
    CollectionOutdated: ApiError(
        409, "collection_outdated", "the collection is of another version of Retriton: it has to be built again"
    ),
}  # an empty message stands for that of the exception
_INTERNAL: dict[type[Exception], ApiError] = {
    Overloaded: ApiError(429, "overloaded", "the server is overloaded: try again", None, RETRY_AFTER_S),
    Unavailable: ApiError(503, "unavailable", "the encoder is not available: try again", None, RETRY_AFTER_S),
    DeadlineExceeded: ApiError(504, "deadline_exceeded", "the deadline of the request was exceeded"),
    TimeoutError: ApiError(504, "deadline_exceeded", "the deadline of the request was exceeded"),
    RetritonError: ApiError(502, "server_fault", "the inference server sent an invalid response"),
    StoreError: ApiError(503, "store_unavailable", "the vector store failed: try again", None, RETRY_AFTER_S),
    StorageError: ApiError(503, "storage_unavailable", "the storage of files failed: try again", None, RETRY_AFTER_S),
    LLMError: ApiError(502, "llm_failed", "the LLM endpoint failed"),
    PipelineError: ApiError(400, "invalid_request", ""),
}


def api_error(error: BaseException) -> ApiError:
    """The error response for ``error``. Causes on the server's side are logged, and reported in general terms."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, UnknownCursor):
        return ApiError(400, "invalid_request", str(error), error.field)
    for kind, response in _PUBLIC.items():
        if isinstance(error, kind):
            return replace(response, message=response.message or str(error))
    for kind, response in _INTERNAL.items():
        if isinstance(error, kind):
            if not response.message:
                return replace(response, message=str(error))
            log.warning("%s: %s", response.code, error)
            return replace(response, message=f"{response.message}{_place(error)}")
    log.error("internal error", exc_info=error)
    return ApiError(500, "internal_error", "internal error; the log has the details under the id of this request")


def _place(error: Exception) -> str:
    """Which text of the request an invalid result belongs to, as the end of a message."""
    index = error.numbers.get("index") if isinstance(error, ServerFault) else None
    return "" if index is None else f" for text {index}"
