"""What a call can raise.

::

    RetritonError
    ├── InvalidRequest          the server refuses this input, now and later
    │   ├── TextTooLong         ... because a text has more tokens than the encoder takes
    │   └── WrongEncoder        ... because it has another encoder than the one that was meant
    ├── NotInstalled            the server has no such model, for example no cross-encoder
    ├── Overloaded              the lane's queue is full (retried)
    ├── Unavailable             no server, or one that is starting, stopping or broken (retried)
    ├── DeadlineExceeded        the time given to the call is over
    └── ServerFault             the server answered something it should not
"""

from __future__ import annotations

import re

from tritonclient.utils import InferenceServerException

from retriton_serving.contract.errors import WireError

# Messages of Triton while it starts, stops, or has lost a process
_TRANSIENT = re.compile("no available versions|Stub process .* is not healthy")


class RetritonError(Exception):
    """Anything that a call to the server can raise.

    Attributes:
        retryable: whether the same call may succeed later.
        code: the server's error code, for example ``OVERLOADED``; empty if the error is not the server's.
        numbers: the numbers in the server's message, by name.
    """

    retryable = False
    code = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.numbers: dict[str, int | float] = {}


class InvalidRequest(RetritonError):
    """The server refuses this input: an empty text, a wrong parameter, too many texts."""


class TextTooLong(InvalidRequest):
    """A text has more tokens than the encoder takes, and truncation was not allowed.

    Attributes:
        index: the text's place in the caller's list.
        tokens: how many it has, prefix and special tokens included.
        tokens_max: how many the encoder takes.
    """

    def __init__(self, message: str, index: int, tokens: int, tokens_max: int) -> None:
        super().__init__(message)
        self.index = index
        self.tokens = tokens
        self.tokens_max = tokens_max


class WrongEncoder(InvalidRequest):
    """The server has another encoder than the one whose fingerprint the request named."""


class NotInstalled(RetritonError):
    """The server has no such model: nothing was exported for it."""


class Overloaded(RetritonError):
    """The lane's queue is full; the request was not taken."""

    retryable = True


class Unavailable(RetritonError):
    """No server answers there, or it is starting, stopping or broken."""

    retryable = True


class DeadlineExceeded(RetritonError):
    """The time given to the call is over."""


class ServerFault(RetritonError):
    """The server answered something it should not."""


_BY_CODE: dict[str, type[RetritonError]] = {
    "NOT_INSTALLED": NotInstalled,
    "WRONG_ENCODER": WrongEncoder,
    "OVERLOADED": Overloaded,
    "SHUTTING_DOWN": Unavailable,
    "ENCODER_UNAVAILABLE": Unavailable,
    "EXPIRED": DeadlineExceeded,
}
_BY_STATUS: dict[str, type[RetritonError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "RESOURCE_EXHAUSTED": Overloaded,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "CANCELLED": DeadlineExceeded,
}


def translate(error: InferenceServerException, url: str, first_text: int = 0) -> RetritonError:
    """The exception for one of `tritonclient`.

    Args:
        error: what `tritonclient` raised.
        url: the server, for the message.
        first_text: the place in the caller's list of the request's first text.
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
    if "index" in wire.numbers:  # of the text in its request; the caller's list may be longer
        index = int(wire.numbers["index"])
        sentence = sentence.replace(f"text {index} ", f"text {first_text + index} ", 1)
        wire.numbers["index"] = first_text + index
    if wire.code == "TEXT_TOO_LONG" and {"index", "tokens", "tokens_max"} <= wire.numbers.keys():
        return TextTooLong(sentence, *(int(wire.numbers[name]) for name in ("index", "tokens", "tokens_max")))
    kind = _BY_CODE.get(wire.code, by_status)
    return InvalidRequest(sentence) if kind is InvalidRequest else kind(f"{url}: {sentence}")
