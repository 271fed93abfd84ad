"""Why a request is refused.

::

    RequestRefused              a machine-readable code, and a sentence for people
    ├── TextTooLong             the caller's fault: TEXT_TOO_LONG
    ├── BadText                 the caller's fault: TEXT_EMPTY, TEXT_NOT_UTF8, TEXT_TOO_LARGE, QUERY_TOO_LONG
    ├── BadParameter            the caller's fault: BAD_PARAMETER
    ├── WrongEncoder            another encoder was meant: WRONG_ENCODER
    ├── NotInstalled            this server has no such model: NOT_INSTALLED
    ├── Overloaded              the queue is full, try again: OVERLOADED
    ├── Expired                 the deadline passed, or the caller left: EXPIRED
    ├── ShuttingDown            no new work, try another replica: SHUTTING_DOWN
    └── EncoderUnavailable      the engine did not answer, try again: ENCODER_UNAVAILABLE

The message on the wire is ``CODE: sentence``, so that any KServe v2 client can tell them apart.
"""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """Whose fault a refusal is; the lane maps it to the status codes of Triton."""

    CALLER = "caller"
    RETRYABLE = "retryable"
    CANCELLED = "cancelled"


class RequestRefused(Exception):
    """A request that gets an error instead of vectors."""

    code = "REFUSED"
    fault = Fault.CALLER

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()}"


class TextTooLong(RequestRefused):
    """A text has more tokens than the encoder takes, and the caller did not allow truncation."""

    code = "TEXT_TOO_LONG"

    def __init__(self, index: int, tokens: int, tokens_max: int) -> None:
        super().__init__(
            f"text {index} has {tokens} tokens, the encoder takes at most {tokens_max} (prefix and special tokens "
            "included). Split the text, or set the request parameter truncate to START or END."
        )


class BadText(RequestRefused):
    """A text that cannot be embedded, whatever its length."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class BadParameter(RequestRefused):
    """A request parameter has a value that does not exist."""

    code = "BAD_PARAMETER"


class WrongEncoder(RequestRefused):
    """The request names the fingerprint of another encoder."""

    code = "WRONG_ENCODER"


class NotInstalled(RequestRefused):
    """The model that was asked for was not exported into this server's repository."""

    code = "NOT_INSTALLED"


class Overloaded(RequestRefused):
    """The lane's queue is full."""

    code = "OVERLOADED"
    fault = Fault.RETRYABLE

    def __init__(self, waiting: int, waiting_max: int, what: str = "tokens wait") -> None:
        super().__init__(f"{waiting} {what} already, and at most {waiting_max} may. Try again later.")


class Expired(RequestRefused):
    """The request's deadline passed, or its caller left, before it was computed."""

    code = "EXPIRED"
    fault = Fault.CANCELLED


class ShuttingDown(RequestRefused):
    """The server finishes what it has and takes nothing new."""

    code = "SHUTTING_DOWN"
    fault = Fault.RETRYABLE


class EncoderUnavailable(RequestRefused):
    """The encoder model failed or is gone."""

    code = "ENCODER_UNAVAILABLE"
    fault = Fault.RETRYABLE
