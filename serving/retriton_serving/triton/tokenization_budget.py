"""How much text is tokenized at a time."""

from __future__ import annotations

from retriton_serving.contract.errors import BadText, Overloaded

BYTES_MAX = 2 * 1024 * 1024  # about a second of tokenizing


class TokenizationBudget:
    """The bytes of text that one call of `execute` may tokenize: meanwhile all other requests wait, and probes."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0

    def take(self, size_bytes: int) -> None:
        """Adds the texts of one request.

        Raises:
            BadText: the request alone exceeds the budget.
            Overloaded: it exceeds what the other requests leave.
        """
        if size_bytes > self._bytes_max:
            raise BadText(
                "TEXT_TOO_LARGE",
                f"the texts of the request have {size_bytes} bytes, at most {self._bytes_max} are taken. Send fewer.",
                bytes=size_bytes,
                bytes_max=self._bytes_max,
            )
        if self._bytes + size_bytes > self._bytes_max:
            raise Overloaded(self._bytes, self._bytes_max, "bytes of text are being tokenized")
        self._bytes += size_bytes
