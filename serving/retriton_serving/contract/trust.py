"""Which requests come from inside the server: they carry the secret of this start.

Triton's gRPC has no keys, so parameters of a request that decide its priority count only beside this secret. The
launcher draws it, and passes it to Triton's processes in their environment.
"""

from __future__ import annotations

import hmac
import os

from retriton_serving.contract.variables import START_SECRET

SECRET = "secret"  # noqa: S105 - the parameter's name


def start_secret() -> str:
    """The secret of this start; empty if Triton was not started by the launcher."""
    return os.environ.get(START_SECRET, "")


def is_trusted(value: object) -> bool:
    """Whether ``value``, the parameter of a request, is the secret of this start."""
    secret = start_secret()
    return bool(secret) and isinstance(value, str) and hmac.compare_digest(value.encode(), secret.encode())
