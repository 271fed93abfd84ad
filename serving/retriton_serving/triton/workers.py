"""Threads that fail end their process."""

from __future__ import annotations

import os
import threading


def end_process_on_failure() -> None:
    """From now on, an exception that ends a thread ends the process.

    A model that lost a worker would accept work and never answer. A process that ended is unhealthy, and is replaced.
    """
    threading.excepthook = _end_process


def _end_process(failure: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(failure)
    os._exit(70)
