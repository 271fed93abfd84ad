"""Long lists of texts as several requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retriton_client._config import Limits


@dataclass(frozen=True)
class Split:
    """Which texts go together.

    Attributes:
        parts: ranges of the list.
        at_once: whether they may be sent side by side: not, where texts are so long that the server would be busy
            with turning them into tokens.
    """

    parts: list[slice]
    at_once: bool

    @classmethod
    def of(cls, texts: Sequence[str], limits: Limits, more: int = 0) -> Split:
        """Parts of ``texts`` within ``limits``; with each text goes another of ``more`` characters."""
        parts, first, size, by_bytes = [], 0, 0, False
        for place, text in enumerate(texts):
            length = more + _size_bytes(text)
            too_large = size + length > limits.bytes_per_request
            if place > first and (too_large or place - first == limits.texts_per_request):
                parts.append(slice(first, place))
                first, size, by_bytes = place, 0, by_bytes or too_large
            size += length
        return cls([*parts, slice(first, len(texts))], not by_bytes)


def _size_bytes(text: object) -> int:
    if not isinstance(text, str):  # refused later, with its number
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
