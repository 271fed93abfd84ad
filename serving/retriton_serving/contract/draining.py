"""How a server is told to finish what it has accepted, and how it says that it has.

Triton's own stop does not do it: requests that a lane has taken over do not count as in flight there, so the encoder
is unloaded below them, and new requests get NOT_FOUND, which no client retries. Instead, whoever started the server
asks through a folder that both know: a file ``drain`` in it is the order, a file ``<lane>.drained`` the report.

Standard library only; used by the launcher outside Triton and by the lanes inside.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

FOLDER_VARIABLE = "RETRITON_DRAIN_FOLDER"
LANES = ("embed_query", "embed_passage", "rerank")
_ORDER = "drain"
_PERIOD_S = 0.05


def order(folder: Path, timeout_s: float, is_alive: Callable[[], bool]) -> bool:
    """Tells the lanes to drain; returns whether all have reported within ``timeout_s``, while the server lived."""
    (folder / _ORDER).touch()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and is_alive():
        if all(_report(folder, lane).exists() for lane in LANES):
            return True
        time.sleep(_PERIOD_S)
    return False


def obey(lane: str, drain: Callable[[], None]) -> None:
    """Calls ``drain`` in a thread once the order comes, and reports when it returns; nothing without a folder."""
    if name := os.environ.get(FOLDER_VARIABLE):
        threading.Thread(target=_wait, args=(Path(name), lane, drain), daemon=True).start()


def _wait(folder: Path, lane: str, drain: Callable[[], None]) -> None:
    while not (folder / _ORDER).exists():
        time.sleep(_PERIOD_S)
    drain()
    _report(folder, lane).touch()


def _report(folder: Path, lane: str) -> Path:
    return folder / f"{lane}.drained"
