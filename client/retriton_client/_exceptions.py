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

_TOO_LONG = re.compile(r"text (\d+) has (\d+) tokens, the encoder takes at most (\d+)")
_PASSING = re.compile("no available versions|Stub process .* is not healthy")  # Triton that starts, stops or is broken
_TEXT_NUMBER = re.compile(r"\btext (\d+)\b")


class RetritonError(Exception):
    """Anything that a call to the server can raise."""

    retryable = False


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
    """The exception of ours that stands for one of `tritonclient`.

    Args:
        error: what `tritonclient` raised.
        url: the server that was asked, for the message.
        first_text: the place in the caller's list of the request's first text.
    """
    status = str(error.status() or "").removeprefix("StatusCode.")
    message = error.message() or ""
    if match := _TOO_LONG.search(message):
        index, tokens, tokens_max = map(int, match.groups())
        return TextTooLong(_renumber(message, first_text), first_text + index, tokens, tokens_max)
    code = message.partition(":")[0]
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, ServerFault)
    if _PASSING.search(message):
        kind = Unavailable
    if kind is InvalidRequest:
        return InvalidRequest(_renumber(message, first_text))
    return kind(f"{url}: {message or status}")


def _renumber(message: str, first_text: int) -> str:
    """Text numbers of one request, as numbers in the caller's list."""
    return _TEXT_NUMBER.sub(lambda match: f"text {first_text + int(match[1])}", message)
