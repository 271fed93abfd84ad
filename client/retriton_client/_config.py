"""How a client behaves: frozen values, given once."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

from retriton_client._exceptions import RetritonError


@dataclass(frozen=True)
class Limits:
    """Bounds of what a client sends.

    Attributes:
        texts_per_request: longer lists are split; a server takes at most 256 a request.
        requests_in_flight: how many requests wait for an answer at a time, per role.
        bytes_per_request: longer texts are sent in several requests, one after the other; a server takes at most 2 MiB.
    """

    texts_per_request: int = 32
    requests_in_flight: int = 4
    bytes_per_request: int = 1024 * 1024

    def __post_init__(self) -> None:
        if min(self.texts_per_request, self.bytes_per_request, self.requests_in_flight) < 1:
            raise ValueError(f"limits must be at least 1, not {self}")


@dataclass(frozen=True)
class Retry:
    """When a request is sent again: only for what is retryable, and only inside the call's deadline.

    Attributes:
        attempts_max: how often a request is sent at the most; 1 never retries.
        delay_first_s: the longest pause before the second attempt; it doubles with every further one...
        delay_max_s: ...up to this. Each pause is a random share of its longest, so that clients spread out.
    """

    attempts_max: int = 16
    delay_first_s: float = 0.05
    delay_max_s: float = 2.0

    def delay_s(self, attempt: int) -> float:
        """The pause after the ``attempt``-th attempt failed (from 1)."""
        longest = min(self.delay_max_s, self.delay_first_s * 2.0 ** min(attempt - 1, 60))
        return random.uniform(0.0, longest)  # noqa: S311 - spreads load, guards nothing


@dataclass(frozen=True)
class Tls:
    """An encrypted connection.

    Attributes:
        ca: a file with the certificates that the server's is checked against; None takes those of gRPC.
        certificate, key: files of the client's own, for a server that asks who it is.
        server_name: that the server's certificate is for, where it is not the host of the address.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    @classmethod
    def from_environment(cls) -> Tls | None:
        """What ``RETRITON_TLS_CA`` and ``RETRITON_TLS_NAME`` say; None if there is neither.

        Raises:
            RetritonError: there is no such file.
        """
        ca, name = os.environ.get("RETRITON_TLS_CA", ""), os.environ.get("RETRITON_TLS_NAME", "")
        if ca and not Path(ca).is_file():
            raise RetritonError(f"RETRITON_TLS_CA names {ca}, and there is no such file")
        return cls(Path(ca) if ca else None, server_name=name) if ca or name else None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a client's certificate needs its key, and the key its certificate")
