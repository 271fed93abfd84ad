"""Runs attacks one after the other, beside a well-behaved caller.

An attack runs in a process of its own, which the system only lets run on a core that nothing else wants
(``SCHED_IDLE``). It stands for attackers on other machines: what the caller notices is then what the attack makes the
service do, and not what sending it costs.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from bench.attacks import grpc, http
from bench.attacks.callers import Latencies, observe
from bench.served import Served

Attack = Callable[[str, int, float], None]
_MODULES = {"http": http, "grpc": grpc}
_SAMPLE_S = 0.25
_GRACE_S = 30.0


def find_attacks() -> dict[str, tuple[str, Attack]]:
    """All attacks by name: the protocol and a function of host, port and seconds. Names with ``_`` are helpers."""
    found: dict[str, tuple[str, Attack]] = {}
    for protocol, module in _MODULES.items():
        for function_name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not function_name.startswith("_")
            if is_own and len(inspect.signature(function).parameters) == 3:
                found[f"{protocol} {function_name}"] = (protocol, function)
    return found


class Memory(threading.Thread):
    """Samples the memory of a service until `stop`; ``peak_mib`` is the most of it."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True)
        self._served, self._ended, self.peak_mib = served, threading.Event(), 0.0

    def run(self) -> None:
        """Samples."""
        while not self._ended.is_set():
            self.peak_mib = max(self.peak_mib, self._served.memory_mib())
            self._ended.wait(_SAMPLE_S)

    def stop(self) -> float:
        """Ends the thread, and returns the peak."""
        self._ended.set()
        self.join()
        return self.peak_mib


def measure(
    served: Served, attack: tuple[str, Attack] | None, requests: dict[str, Callable[[], None]], seconds: float
) -> dict[str, Any]:
    """Observes the caller for ``seconds``, during an attack or without one."""
    before = served.memory_mib()
    memory = Memory(served)
    memory.start()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_yield_cores) as pool:
        pool.submit(find_attacks).result()  # the process has started
        running = pool.submit(_run, served, attack, seconds) if attack else None
        latencies = observe(requests, seconds)
        problem = running.result() if running else ""
    return {
        **{name: found.summary() for name, found in latencies.items()},
        "before_mib": round(before),
        "peak_mib": round(memory.stop()),
        "after_mib": round(served.memory_mib()),
        "alive": _recovers(served),
        "attack_error": problem,
    }


def _yield_cores() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _run(served: Served, attack: tuple[str, Attack], seconds: float) -> str:
    """Runs the attack; returns the error that ended it early, such as a connection that the service refused."""
    protocol, function = attack
    address = served.http_url.split("//")[1] if protocol == "http" else served.grpc_url
    host, _, port = address.rpartition(":")
    try:
        function(host, int(port), seconds)
    except Exception as error:  # noqa: BLE001 - an attack may fail in any way, which is not the service's fault
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def _recovers(served: Served) -> bool:
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline:
        if served.is_ready():
            return True
        time.sleep(0.2)
    return False


def row(name: str, found: dict[str, Any]) -> str:
    """A row of the table."""
    callers = [found[kind] for kind in found if isinstance(found[kind], dict)]
    cells = [
        f"{caller['p50_ms'] or '-'} / {caller['p99_ms'] or '-'} ms, {caller['failed']} failed" for caller in callers
    ]
    memory = f"{found['before_mib']} / {found['peak_mib']} / {found['after_mib']}"
    return f"| {' | '.join([name, *cells, memory, 'yes' if found['alive'] else 'NO'])} |"


__all__ = ["Attack", "Latencies", "find_attacks", "measure", "row"]
