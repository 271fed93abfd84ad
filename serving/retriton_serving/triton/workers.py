"""What becomes of a process whose thread fails."""

from __future__ import annotations

import os
import threading


def end_process_with_any() -> None:
    """From now on the process ends when one of its threads does so with an exception.

    A model that lost a worker to a bug would take work and never answer. Ended, it is seen as unhealthy.
    """
    threading.excepthook = _end_process


def _end_process(failure: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(failure)
    os._exit(70)
