"""Splits long lists of texts into several requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retriton_client._config import Limits


@dataclass(frozen=True)
class Split:
    """Partition of a list of texts into requests.

    Attributes:
        parts: index range of each request.
        concurrent: whether the requests may run concurrently; false if the size in bytes forced a split, because
            tokenizing several requests of that size at a time would overload the server.
    """

    parts: list[slice]
    concurrent: bool

    @classmethod
    def of(cls, texts: Sequence[bytes], limits: Limits, more: int = 0) -> Split:
        """Splits ``texts`` by ``limits``; ``more`` is added to the size of each text, for a query sent with it."""
        parts, first, size, by_bytes = [], 0, 0, False
        for place, text in enumerate(texts):
            length = more + len(text)
            too_large = size + length > limits.bytes_per_request
            if place > first and (too_large or place - first == limits.texts_per_request):
                parts.append(slice(first, place))
                first, size, by_bytes = place, 0, by_bytes or too_large
            size += length
        return cls([*parts, slice(first, len(texts))], not by_bytes)
