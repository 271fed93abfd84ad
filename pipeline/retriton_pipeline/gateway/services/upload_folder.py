"""Where uploads wait on disk."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "retriton-uploads-"
_held: list[FileLock] = []  # until the process ends, however it ends


def new_spool() -> Path:
    """An empty folder of this process; those of processes that were killed are removed."""
    base = Path(tempfile.gettempdir())
    for left in base.glob(f"{_PREFIX}*"):
        if (left / "lock").exists():
            try:
                with FileLock(left / "lock", timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
            except (Timeout, OSError):  # it is in use, or another user's
                continue
    spool = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = FileLock(spool / "lock")
    lock.acquire()
    _held.append(lock)
    return spool
