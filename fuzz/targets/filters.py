"""Filter expressions of searches: refused with a documented error, or rendered to what is parsed as the same again."""

from __future__ import annotations

from fuzz.target import Target, Violation
from retriton_pipeline.errors import InvalidFilter

_WORDS = (
    b"(", b")", b"not ", b" and ", b" or ", b" && ", b"||", b"==", b"!=", b">=", b" in [", b"]", b",", b'"', b"'", b"\\", b"%", b" like ",
    b"page", b"source", b"title", b'metadata["a"]', b"[0]", b"json_contains(", b"array_length(", b"exists ", b"1", b"-", b"0x1", b"1e9", b"true",
    b"{x}", b"/0", b"\xd9\xa1", b"\n", b" ", b"9223372036854775808", b"null", b"is ", b"\\u0000", b"_",
)  # fmt: skip
_SEEDS = {
    "comparison": b'source == "a.md" and page >= 2',
    "membership": b'not (page in [1, 2]) or title like "a%"',
    "metadata": b'metadata["year"] > 2020 and json_contains(metadata["tags"], "a")',
}


def _parse(raw: bytes) -> None:
    from retriton_pipeline.store import filters

    text = raw.decode("utf-8", "replace")
    for is_lite in (True, False):
        try:
            rendered = filters.canonical.__wrapped__(text, is_lite)
        except InvalidFilter as error:
            if len(str(error)) > 2000:
                raise Violation(f"the message has {len(str(error))} characters") from error
            continue
        if rendered != filters.canonical.__wrapped__(rendered, is_lite):
            raise Violation(f"{rendered!r} is rendered differently when it is parsed again")


TARGETS = {"filters": Target("filters", _parse, lambda: _SEEDS, words=_WORDS)}
