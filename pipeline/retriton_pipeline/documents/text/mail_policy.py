"""How mail is parsed: with limits for headers, whose parser takes more than linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy
from typing import Any

from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

HEADERS_MAX = 2_000  # of a message or of a part of it
_HEADER_CHARACTERS_MAX = 4_096  # longer headers are truncated
_CONTAINERS_MAX = 1_000
_FEW_CONTAINERS = 20
_CHECKS_MAX = 10_000_000  # containers times lines
_PARTS_MAX = 4_000
_CONTAINER = re.compile(rb"^content-type:\s{0,64}(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)


class BoundedMessage(EmailMessage):
    """A message, or a part of one, with a limited number of headers."""

    def set_raw(self, name: str, value: Any) -> None:
        """Adds a header, as the parser does.

        Raises:
            UnreadableDocument: there are too many.
        """
        if len(self) >= HEADERS_MAX:
            raise UnreadableDocument(f"it, or a part of it, has more than {HEADERS_MAX} headers")
        super().set_raw(name, value)


class BoundedPolicy(EmailPolicy):
    """The default policy of the package ``email`` with truncated headers."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """As `EmailPolicy.header_source_parse`."""
        name, value = super().header_source_parse(list(_first(sourcelines, _HEADER_CHARACTERS_MAX)))
        return name, _decoded(value)


def _decoded(value: str) -> str:
    """The value of a header, in which bytes that are not ASCII, and have no stated encoding, are surrogates."""
    if value.isascii():
        return value
    try:
        return decode(value.encode("utf-8", "surrogateescape"))
    except UnreadableDocument:
        return value


def _first(lines: Sequence[str], characters: int) -> Iterator[str]:
    for line in lines:
        if characters > 0:
            yield line[:characters]
        characters -= len(line)


class _Messages:
    """Creates the messages of one mail: itself, and its parts."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, policy: Policy | None = None) -> Message:
        self._number += 1
        if self._number > _PARTS_MAX:
            raise UnreadableDocument(f"it has more than {_PARTS_MAX} parts")
        return BoundedMessage(policy or EmailPolicy())


def mail_policy() -> BoundedPolicy:
    """The policy for parsing one mail.

    Parsing with it raises `UnreadableDocument` for too many parts or headers.
    """
    return BoundedPolicy(message_factory=_Messages())


def require_few_parts(raw: bytes) -> None:
    """Checks how many messages contain others: for each line, the parser checks the ends of all that are open.

    Raises:
        UnreadableDocument: there are too many.
    """
    containers = sum(1 for _ in _CONTAINER.finditer(raw))
    if containers > _CONTAINERS_MAX or (containers > _FEW_CONTAINERS and containers * raw.count(b"\n") > _CHECKS_MAX):
        raise UnreadableDocument(f"{containers} of its parts contain others, more than the limit for its size")
