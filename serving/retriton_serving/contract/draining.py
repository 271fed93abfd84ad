"""How a server is told to complete its accepted work, and how it reports that it has.

Triton's own stop does not do it: requests that a lane has taken over do not count as in flight, so the encoder is
unloaded while they wait, and new requests get NOT_FOUND, which no client retries. Instead, the process that started
the server communicates through a folder: it creates the file ``drain``, and each process of a lane creates
``<process>.drained``.

The launcher uses it outside Triton, and the lanes inside.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from retriton_serving.contract.variables import DRAIN_FOLDER

_REQUEST = "drain"
_POLL_S = 0.05


def request_drain(folder: Path, timeout_s: float, processes: Sequence[str], is_alive: Callable[[], bool]) -> bool:
    """Tells the lanes to drain; returns whether all ``processes`` have within ``timeout_s``, while the server lived."""
    (folder / _REQUEST).touch()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and is_alive():
        if all(_report(folder, process).exists() for process in processes):
            return True
        time.sleep(_POLL_S)
    return False


def drain_on_request(process: str, drain: Callable[[], None]) -> None:
    """Calls ``drain`` in a thread when a drain is requested, and reports its return; does nothing without a folder."""
    if name := os.environ.get(DRAIN_FOLDER):
        threading.Thread(target=_wait, args=(Path(name), process, drain), daemon=True).start()


def _wait(folder: Path, process: str, drain: Callable[[], None]) -> None:
    while not (folder / _REQUEST).exists():
        time.sleep(_POLL_S)
    drain()
    _report(folder, process).touch()


def _report(folder: Path, process: str) -> Path:
    return folder / f"{process}.drained"
