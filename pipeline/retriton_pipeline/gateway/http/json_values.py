"""How many values a JSON document has, while it arrives."""

from __future__ import annotations

from retriton_pipeline.gateway.errors import ApiError

VALUES_MAX = 400_000  # a request of 300,000 token ids is valid


class ValueCounter:
    """Counts the values of a JSON document that arrives in pieces. Separators within strings are not counted.

    Args:
        values_max: the most that it may have.
    """

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        self._values_max = values_max
        self._values = self._quotes = 0
        self._escape = b""  # a backslash that escapes the first byte of the next piece

    def feed(self, piece: bytes) -> None:
        """Counts the values of a piece. Raises `ApiError` if there are too many."""
        piece = self._escape + piece
        backslashes = len(piece) - len(piece.rstrip(b"\\"))
        self._escape = b"\\" * (backslashes % 2)
        parts = _without_escapes(piece[: len(piece) - len(self._escape)]).split(b'"')
        outside = b"".join(parts[self._quotes % 2 :: 2])
        self._quotes += len(parts) - 1
        self._values += sum(map(outside.count, (b",", b"[", b"{")))
        self._check(self._quotes // 4)  # keys and values
        self._check(self._values)

    def _check(self, count: int) -> None:
        if count > self._values_max:
            raise ApiError(
                413,
                "too_large",
                f"the body has {count} values or more, the limit is {self._values_max}: send less at once",
            )


def _without_escapes(piece: bytes) -> bytes:
    return piece.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in piece else piece
