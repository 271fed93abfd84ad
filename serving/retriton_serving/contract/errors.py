"""Why a request gets no result, and how that is written on the wire.

::

    RequestRefused
    ├── TextTooLong             TEXT_TOO_LONG        INVALID_ARGUMENT
    ├── BadText                 TEXT_EMPTY, TEXT_NOT_UTF8, TEXT_TOO_LARGE, QUERY_TOO_LONG   INVALID_ARGUMENT
    ├── BadParameter            BAD_PARAMETER        INVALID_ARGUMENT
    ├── WrongEncoder            WRONG_ENCODER        INVALID_ARGUMENT: the request names another encoder
    ├── NotInstalled            NOT_INSTALLED        INVALID_ARGUMENT: the server has no such model
    ├── Overloaded              OVERLOADED           UNAVAILABLE: the queue is full, retry
    ├── Expired                 EXPIRED              CANCELLED: the deadline passed, or the caller disconnected
    ├── ShuttingDown            SHUTTING_DOWN        UNAVAILABLE: retry on another replica
    ├── EncoderUnavailable      ENCODER_UNAVAILABLE  UNAVAILABLE: the engine failed, retry
    └── InvalidResult           INVALID_RESULT       INTERNAL: the engine computed what no vector or score can be

The message of a gRPC error is ``CODE: sentence {"name":number,...}``: a code for programs, a sentence for people, and a
JSON object with the numbers in the sentence, always at the end.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from enum import Enum

_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
Number = int | float


@dataclass(frozen=True)
class WireError:
    """An error as it is sent.

    Attributes:
        code: for programs.
        sentence: for people.
        numbers: those in the sentence, by name.
    """

    code: str
    sentence: str
    numbers: dict[str, Number] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence} {json.dumps(self.numbers, separators=(',', ':'))}"

    @classmethod
    def parse(cls, message: str) -> WireError | None:
        """The error in a message; None for a message that is not one of ours, such as Triton's own."""
        head, brace, body = message.rpartition(" {")
        code, colon, sentence = head.partition(": ")
        if not (brace and colon and _CODE.fullmatch(code)):
            return None
        try:
            numbers = json.loads("{" + body)
        except (ValueError, RecursionError):
            return None
        if not all(type(number) in (int, float) and abs(number) <= sys.float_info.max for number in numbers.values()):
            return None
        return cls(code, sentence, numbers)


class Fault(Enum):
    """Who can do something about a refusal; determines the gRPC status."""

    CALLER = "caller"
    RETRYABLE = "retryable"
    CANCELLED = "cancelled"
    SERVER = "server"


class RequestRefused(Exception):
    """A request that gets an error instead of a result.

    Args:
        sentence: for people.
        numbers: those in the sentence, by name.
    """

    code = "REFUSED"
    fault = Fault.CALLER

    def __init__(self, sentence: str, **numbers: Number) -> None:
        super().__init__(sentence)
        self.numbers = numbers

    @property
    def wire(self) -> WireError:
        """The error as it is sent."""
        return WireError(self.code, str(self), self.numbers)


class TextTooLong(RequestRefused):
    """A text has more tokens than the encoder takes, and the request does not allow truncation."""

    code = "TEXT_TOO_LONG"

    def __init__(self, index: int, tokens: int, tokens_max: int) -> None:
        super().__init__(
            f"text {index} has {tokens} tokens, the encoder takes at most {tokens_max} (prefix and special tokens "
            "included). Split the text, or set the request parameter truncate to START or END.",
            index=index,
            tokens=tokens,
            tokens_max=tokens_max,
        )


class BadText(RequestRefused):
    """A text that cannot be embedded, whatever its length."""

    def __init__(self, code: str, sentence: str, **numbers: Number) -> None:
        super().__init__(sentence, **numbers)
        self.code = code


class BadParameter(RequestRefused):
    """A request parameter has an invalid value."""

    code = "BAD_PARAMETER"


class WrongEncoder(RequestRefused):
    """The request names the fingerprint of another encoder."""

    code = "WRONG_ENCODER"


class NotInstalled(RequestRefused):
    """The requested model was not exported into this server's repository."""

    code = "NOT_INSTALLED"


class Overloaded(RequestRefused):
    """The lane's queue is full."""

    code = "OVERLOADED"
    fault = Fault.RETRYABLE

    def __init__(self, waiting: int, waiting_max: int, what: str = "tokens are queued") -> None:
        super().__init__(
            f"{waiting} {what} already, at most {waiting_max} may be. Try again later.",
            waiting=waiting,
            waiting_max=waiting_max,
        )


class Expired(RequestRefused):
    """The request's deadline passed, or its caller disconnected, before it was computed."""

    code = "EXPIRED"
    fault = Fault.CANCELLED


class ShuttingDown(RequestRefused):
    """The server completes accepted work and accepts no new work."""

    code = "SHUTTING_DOWN"
    fault = Fault.RETRYABLE


class EncoderUnavailable(RequestRefused):
    """The encoder model failed, or does not run."""

    code = "ENCODER_UNAVAILABLE"
    fault = Fault.RETRYABLE


class InvalidResult(RequestRefused):
    """The engine computed a vector or a score that is not finite, or not of the manifest's dimension and length."""

    code = "INVALID_RESULT"
    fault = Fault.SERVER

    def __init__(self, index: int, fault: str) -> None:
        super().__init__(
            f"text {index} has an invalid result, which {fault}. The installed files or this machine's memory are "
            "damaged, or the engine does not run correctly here: run `retriton export`.",
            index=index,
        )
