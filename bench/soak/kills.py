"""Kills processes of a service, and measures until it serves again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import psutil

from bench.served import Served

VICTIMS = ("embed_query", "encoder", "gateway", "embed_passage", "triton")
_RECOVERY_S_MAX = 120.0


@dataclass(frozen=True)
class Kill:
    """A process that was killed.

    Attributes:
        role: what it did.
        recovery_s: until gateway, both lanes and encoder served again; None if they did not within two minutes.
    """

    role: str
    recovery_s: float | None


async def kill(served: Served, role: str) -> Kill:
    """Kills the process with ``role``, and waits until the service is ready and another one has its role."""
    victims = served.by_role().get(role, [])
    pids = {process.pid for process in victims}
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    start = time.monotonic()
    while time.monotonic() - start < _RECOVERY_S_MAX:
        await asyncio.sleep(0.2)
        present = {process.pid for process in served.by_role().get(role, [])}
        if not present - pids:
            continue
        if await asyncio.to_thread(served.is_ready):
            return Kill(role, round(time.monotonic() - start, 1))
    return Kill(role, None)
