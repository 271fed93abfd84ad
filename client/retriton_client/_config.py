"""Client settings: limits, retries and TLS."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retriton_client._exceptions import RetritonError

_DELAY_S_MAX = 1e9


@dataclass(frozen=True)
class Limits:
    """Limits on request size and concurrency.

    Attributes:
        texts_per_request: maximum number of texts in a request; longer lists are split. The server accepts at most 256.
        requests_in_flight: maximum number of concurrent requests per role, for each address of the client, if they have
            ``texts_per_request`` texts; of smaller requests, as many run as have the same number of texts together.
        bytes_per_request: maximum size of the texts in a request; larger lists are split and sent sequentially. The
            server accepts at most 2 MiB.
        requests_per_call: maximum number of concurrent requests of one call; None for no limit of its own.
    """

    texts_per_request: int = 32
    requests_in_flight: int = 4
    bytes_per_request: int = 1024 * 1024
    requests_per_call: int | None = None

    @property
    def texts_in_flight(self) -> int:
        """Maximum number of texts in concurrent requests per role."""
        return self.requests_in_flight * self.texts_per_request

    def __post_init__(self) -> None:
        of_call = self.requests_in_flight if self.requests_per_call is None else self.requests_per_call
        limits = self.texts_per_request, self.requests_in_flight, self.bytes_per_request, of_call
        if not all(map(_is_count, limits)):
            raise ValueError(f"limits must be integers of at least 1, not {self}")


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

    def __post_init__(self) -> None:
        if not _is_count(self.attempts_max):
            raise ValueError(f"attempts_max must be an integer of at least 1, not {self.attempts_max!r}")
        if not (_is_delay(self.delay_first_s) and _is_delay(self.delay_max_s)):
            raise ValueError(f"delays must be from 0 to {_DELAY_S_MAX:.0f} seconds, not {self}")

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
        """Reads ``RETRITON_TLS_CA``, ``_CERT``, ``_KEY`` and ``_NAME``; None if none is set.

        Raises:
            RetritonError: a file does not exist, or only one of certificate and key is set.
        """
        ca, certificate, key = (_file_of(f"RETRITON_TLS_{name}") for name in ("CA", "CERT", "KEY"))
        if (certificate is None) != (key is None):
            raise RetritonError("RETRITON_TLS_CERT and RETRITON_TLS_KEY must be set together")
        name = os.environ.get("RETRITON_TLS_NAME", "")
        return cls(ca, certificate, key, name) if ca or certificate or name else None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key must be given together")
        files = (self.ca, self.certificate, self.key)
        if not all(file is None or isinstance(file, str | os.PathLike) for file in files):
            raise ValueError(f"ca, certificate and key must be names of files, not {files}")
        if not isinstance(self.server_name, str):
            raise ValueError(f"server_name must be a string, not {self.server_name!r}")


def _file_of(variable: str) -> Path | None:
    """The file that an environment variable names; None if it is not set."""
    name = os.environ.get(variable, "")
    if name and not Path(name).is_file():
        raise RetritonError(f"{variable} is {name}, and that file does not exist")
    return Path(name) if name else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _is_delay(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and bool(0 <= value <= _DELAY_S_MAX)
