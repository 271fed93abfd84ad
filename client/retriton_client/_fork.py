"""gRPC does not survive fork: in a child, what was connected before hangs or ends the process."""

from __future__ import annotations

import os
from weakref import WeakSet

from tritonclient.grpc.aio import InferenceServerClient

from retriton_client._exceptions import ForkedProcess

_open: WeakSet[InferenceServerClient] = WeakSet()
_inherited: list[InferenceServerClient] = []  # references, because their destructors hang, too


def opened(connection: InferenceServerClient) -> InferenceServerClient:
    """Notes that ``connection`` is open, and returns it."""
    _open.add(connection)
    return connection


def closed(connection: InferenceServerClient) -> None:
    """Notes that ``connection`` is closed."""
    _open.discard(connection)


def is_inherited() -> bool:
    """Whether a connection was open when this process, or an ancestor, was forked."""
    return bool(_inherited)


def check_fork() -> None:
    """Raises `ForkedProcess` if a connection was open when this process was forked."""
    if is_inherited():
        raise ForkedProcess(
            "a client was open when this process was forked, and gRPC does not survive fork. Close clients before the "
            "fork, or make them after it, or start processes with spawn or forkserver."
        )


def _in_child() -> None:
    _inherited.extend(_open)


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_in_child)
