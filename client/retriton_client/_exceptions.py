"""Exceptions of the client.

::

    RetritonError
    ├── InvalidRequest          the input is invalid; a retry cannot succeed
    │   ├── TextTooLong         a text has more tokens than the encoder accepts
    │   └── WrongEncoder        the server serves another encoder than the request expects
    ├── NotInstalled            the model is not installed, for example no cross-encoder
    ├── Overloaded              the lane's queue is full (retried)
    ├── Unavailable             the server is unreachable, starting, stopping or broken (retried)
    ├── DeadlineExceeded        the call's timeout expired
    ├── ForkedProcess           a client was used before the process was forked
    └── ServerFault             the server returned an unexpected response
"""

from __future__ import annotations

import re
from typing import Any

from tritonclient.utils import InferenceServerException

from retriton_serving.contract.errors import WireError

# Triton reports these while it starts or stops, or after one of its processes died.
_TRANSIENT = re.compile("no available versions|Stub process .* is not healthy")


class RetritonError(Exception):
    """Base class of all errors of a call.

    Attributes:
        retryable: whether the same call may succeed later.
        code: the server's error code, for example ``OVERLOADED``; empty for errors without one.
        numbers: the values in the server's message, by name.
    """

    retryable = False
    code = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.numbers: dict[str, int | float] = {}


class InvalidRequest(RetritonError):
    """The input is invalid, for example an empty text, an unknown parameter value, or too many texts."""


class TextTooLong(InvalidRequest):
    """A text has more tokens than the encoder accepts, and ``truncate`` is NONE.

    Attributes:
        index: index of the text in the caller's list.
        tokens: number of its tokens, including prefix and special tokens.
        tokens_max: maximum number of tokens of the encoder.
    """

    def __init__(self, message: str, index: int, tokens: int, tokens_max: int) -> None:
        super().__init__(message)
        self.index = index
        self.tokens = tokens
        self.tokens_max = tokens_max

    def __reduce__(self) -> tuple[type[TextTooLong], tuple[Any, ...], dict[str, Any]]:
        return type(self), (str(self), self.index, self.tokens, self.tokens_max), self.__dict__


class WrongEncoder(InvalidRequest):
    """The server's encoder does not have the fingerprint that the request expects."""


class NotInstalled(RetritonError):
    """The model is not installed: nothing was exported for it."""


class Overloaded(RetritonError):
    """The lane's queue is full, and the request was refused."""

    retryable = True


class Unavailable(RetritonError):
    """The server is unreachable, starting, stopping or broken."""

    retryable = True


class DeadlineExceeded(RetritonError):
    """The timeout of the call expired."""


class ForkedProcess(RetritonError):
    """A client was used before the process was forked, and gRPC does not survive fork."""


class ServerFault(RetritonError):
    """The server returned an unexpected response."""


_BY_CODE: dict[str, type[RetritonError]] = {
    "NOT_INSTALLED": NotInstalled,
    "WRONG_ENCODER": WrongEncoder,
    "OVERLOADED": Overloaded,
    "SHUTTING_DOWN": Unavailable,
    "ENCODER_UNAVAILABLE": Unavailable,
    "EXPIRED": DeadlineExceeded,
    "INVALID_RESULT": ServerFault,
}
_BY_STATUS: dict[str, type[RetritonError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "RESOURCE_EXHAUSTED": Overloaded,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "CANCELLED": DeadlineExceeded,
}


def translate(error: InferenceServerException, url: str, first_text: int = 0) -> RetritonError:
    """Maps an exception of `tritonclient` to one of the client.

    Args:
        error: the exception of `tritonclient`.
        url: address of the server, for the message.
        first_text: index in the caller's list of the request's first text.
    """
    status = str(error.status() or "").removeprefix("StatusCode.")
    message = error.message() or ""
    if wire := WireError.parse(message):
        translated = _from_wire(wire, _BY_STATUS.get(status, ServerFault), url, first_text)
        translated.code, translated.numbers = wire.code, wire.numbers
        return translated
    kind = Unavailable if _TRANSIENT.search(message) else _BY_STATUS.get(status, ServerFault)
    return kind(f"{url}: {message or status}")


def _from_wire(wire: WireError, by_status: type[RetritonError], url: str, first_text: int) -> RetritonError:
    sentence = wire.sentence
    if "index" in wire.numbers:  # counts within the request; callers expect the index in their list
        index = int(wire.numbers["index"])
        sentence = sentence.replace(f"text {index} ", f"text {first_text + index} ", 1)
        wire.numbers["index"] = first_text + index
    if wire.code == "TEXT_TOO_LONG" and {"index", "tokens", "tokens_max"} <= wire.numbers.keys():
        return TextTooLong(sentence, *(int(wire.numbers[name]) for name in ("index", "tokens", "tokens_max")))
    kind = _BY_CODE.get(wire.code, by_status)
    return InvalidRequest(sentence) if kind is InvalidRequest else kind(f"{url}: {sentence}")
