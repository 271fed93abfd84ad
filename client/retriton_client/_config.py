"""Client settings: limits, retries and TLS."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

from retriton_client._exceptions import RetritonError


@dataclass(frozen=True)
class Limits:
    """Limits on request size and concurrency.

    Attributes:
        texts_per_request: maximum number of texts in a request; longer lists are split. The server accepts at most 256.
        requests_in_flight: maximum number of concurrent requests per role.
        bytes_per_request: maximum size of the texts in a request; larger lists are split and sent sequentially. The
            server accepts at most 2 MiB.
    """

    texts_per_request: int = 32
    requests_in_flight: int = 4
    bytes_per_request: int = 1024 * 1024

    def __post_init__(self) -> None:
        if min(self.texts_per_request, self.bytes_per_request, self.requests_in_flight) < 1:
            raise ValueError(f"limits must be at least 1, not {self}")


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with full jitter. Only retryable errors are retried, and only within the call's deadline.

    Attributes:
        attempts_max: maximum number of attempts; 1 disables retries.
        delay_first_s: maximum delay before the second attempt, in seconds; it doubles with each further attempt.
        delay_max_s: upper bound of the doubled delay, in seconds. The actual delay is uniformly random between zero and
            the maximum, so that clients do not retry in step.
    """

    attempts_max: int = 16
    delay_first_s: float = 0.05
    delay_max_s: float = 2.0

    def delay_s(self, attempt: int) -> float:
        """Draws the delay in seconds after failed attempt number ``attempt`` (from 1)."""
        longest = min(self.delay_max_s, self.delay_first_s * 2.0 ** min(attempt - 1, 60))
        return random.uniform(0.0, longest)  # noqa: S311 - spreads load, guards nothing


@dataclass(frozen=True)
class Tls:
    """TLS settings.

    Attributes:
        ca: PEM file of the certificate authorities that verify the server's certificate; None uses gRPC's defaults.
        certificate, key: PEM files of the client's certificate and private key, for servers that require mutual TLS.
        server_name: name in the server's certificate, if it differs from the host in the address.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    @classmethod
    def from_environment(cls) -> Tls | None:
        """Reads ``RETRITON_TLS_CA`` and ``RETRITON_TLS_NAME``; None if neither is set.

        Raises:
            RetritonError: the file of certificates does not exist.
        """
        ca, name = os.environ.get("RETRITON_TLS_CA", ""), os.environ.get("RETRITON_TLS_NAME", "")
        if ca and not Path(ca).is_file():
            raise RetritonError(f"RETRITON_TLS_CA is {ca}, and that file does not exist")
        return cls(Path(ca) if ca else None, server_name=name) if ca or name else None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key must be given together")
