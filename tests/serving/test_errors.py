"""The error format on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriton_serving.contract.errors import Overloaded, TextTooLong, WireError

NUMBERS = st.dictionaries(
    st.text("abcdefghij_", min_size=1, max_size=12),
    st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.text("ABCDEFGH_8", min_size=1).map(lambda code: "A" + code), st.text(max_size=200), NUMBERS)
def test_what_is_written_is_read(code: str, sentence: str, numbers: dict[str, int | float]) -> None:
    error = WireError(code, sentence, numbers)
    assert WireError.parse(str(error)) == error


def test_every_code_of_ours_is_read() -> None:
    for code in ("TEXT_NOT_UTF8", "TEXT_TOO_LARGE", "ENCODER_UNAVAILABLE"):
        assert WireError.parse(str(WireError(code, "text 1 is not UTF-8", {"index": 1})))


def test_code_sentence_and_numbers_are_readable() -> None:
    message = str(TextTooLong(3, 402, 256).wire)
    assert message.startswith("TEXT_TOO_LONG: text 3 has 402 tokens, the encoder takes at most 256")
    assert message.endswith(' {"index":3,"tokens":402,"tokens_max":256}')
    assert Overloaded(5, 4).wire.numbers == {"waiting": 5, "waiting_max": 4}


FOREIGN = [
    "",
    "Stub process 'encoder_0' is not healthy.",
    "CODE: no object",
    "in {place}",
    "A: b {not json}",
    "x {}",
    'A: b {"n":"1"}',
    'A: b {"n":null}',
    'A: b {"index":1e999}',
    'A: b {"index":NaN}',
    'A: b {"index":' + "9" * 400 + "}",
    'A: b {"n":' + "[" * 100_000,
]


@pytest.mark.parametrize("message", FOREIGN)
def test_foreign_messages_are_not_ours(message: str) -> None:
    assert WireError.parse(message) is None
