"""What comes over the wire from another process: error messages, parameters, texts, manifests."""

from __future__ import annotations

import json

from tritonclient.utils import InferenceServerException

from fuzz.target import Target, Violation
from retriton_client import EncoderInfo, RerankerInfo, RetritonError
from retriton_client._exceptions import translate
from retriton_serving.batching.tokenization import Truncate, decode_text
from retriton_serving.contract.errors import RequestRefused, TextTooLong, WireError

_STATUSES = ("INVALID_ARGUMENT", "UNAVAILABLE", "CANCELLED", "INTERNAL", "RESOURCE_EXHAUSTED", "StatusCode.UNKNOWN")
_MANIFEST = {
    "encoder": {"name": "a", "fingerprint": "f", "dimension": 4, "max_tokens": 9, "normalized": True, "prompts": {}},
    "artefact": {"precision": "fp32"},
}
_WORDS = (
    b" {", b"}", b'"', b":", b": ", b",", b'"index":', b'"tokens":', b'"tokens_max":', b"1", b"-1", b"1e999", b"NaN", b"Infinity", b"true",
    b"null", b"[", b"{", b"TEXT_TOO_LONG: ", b"OVERLOADED: ", b"text 0 ", b"1.5", b"99999999999999999999",
)  # fmt: skip


# Found by this target: numbers that are not finite, deep nesting.
_ATTACKS = {
    "infinite number": lambda: b'TEXT_TOO_LONG: a {"index":1e999,"tokens":1,"tokens_max":1}',
    "not a number": lambda: b'OVERLOADED: a {"index":NaN}',
    "nesting": lambda: b'OVERLOADED: a {"a":' + b"[" * 100_000,
    "long number": lambda: b'OVERLOADED: a {"a":' + b"1" * 100_000 + b"}",
    "spaces": lambda: b"A: " + b" {" * 200_000,
}


def _translate(raw: bytes) -> None:
    """Any message becomes an exception of the client; one of ours survives the way there and back."""
    message = raw.decode("utf-8", "replace")
    for status in _STATUSES:
        error = translate(InferenceServerException(message, status), "host:1", first_text=3)
        if not isinstance(error, RetritonError):
            raise Violation(f"translated to {error!r}")
        str(error)
    if (wire := WireError.parse(message)) and "nan" not in str(wire.numbers) and WireError.parse(str(wire)) != wire:
        raise Violation(f"{wire!r} does not survive the wire")


def _parameters(raw: bytes) -> None:
    """Texts and parameters are accepted or refused with a code."""
    for check in (lambda: decode_text(raw, 0), lambda: decode_text(raw, None), lambda: _truncate(raw)):
        try:
            check()
        except RequestRefused as error:
            parsed = WireError.parse(str(error.wire))
            if parsed is None or parsed.code != error.code:
                raise Violation(f"the client cannot read {error.wire}") from error


def _truncate(raw: bytes) -> None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = raw.decode("utf-8", "replace")
    Truncate.parse(value)


def _manifests(raw: bytes) -> None:
    """Malformed manifests raise the documented errors, which the client reports as `ServerFault`."""
    for parse in (lambda: EncoderInfo.parse(raw, b"{}"), lambda: RerankerInfo.parse(raw)):
        try:
            parse()
        except (ValueError, KeyError, TypeError, RecursionError):
            continue


TARGETS = {
    "errors": Target(
        "errors", _translate,
        lambda: {"too long": str(TextTooLong(0, 9, 8).wire).encode(), "other": b"no available versions"}, lambda: _ATTACKS, _WORDS,
    ),
    "parameters": Target("parameters", _parameters, lambda: {"text": b"hello", "truncate": b'"END"'}, words=_WORDS),
    "manifests": Target("manifests", _manifests, lambda: {"manifest": json.dumps(_MANIFEST).encode()}, words=_WORDS),
}  # fmt: skip
