"""gRPC does not survive fork: in a child, connections of its parent and new ones may hang or end the process."""

from __future__ import annotations

import os
from weakref import WeakSet

from tritonclient.grpc.aio import InferenceServerClient

from retriton_client._exceptions import ForkedProcess

_used = _used_before_fork = False
_alive: WeakSet[InferenceServerClient] = WeakSet()
_inherited: list[InferenceServerClient] = []  # references, because their destructors may hang, too


def opened(connection: InferenceServerClient) -> InferenceServerClient:
    """Notes that this process uses gRPC, and returns ``connection``."""
    global _used
    _used = True
    _alive.add(connection)
    return connection


def is_forked() -> bool:
    """Whether a client was used before this process, or an ancestor, was forked."""
    return _used_before_fork


def check_fork() -> None:
    """Raises `ForkedProcess` if a client was used before this process was forked."""
    if _used_before_fork:
        raise ForkedProcess(
            "a client was used before this process was forked, and gRPC does not survive fork, even if that client was "
            "closed. Use clients only after the fork, or start processes with spawn or forkserver."
        )


def _in_child() -> None:
    global _used_before_fork
    _used_before_fork = _used
    _inherited.extend(_alive)


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_in_child)
