"""Folders for uploaded files on disk."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "retriton-uploads-"
_held: list[FileLock] = []  # until the process ends, even if it is killed


def new_upload_folder() -> Path:
    """An empty folder of this process. Folders that killed processes left behind are removed."""
    base = Path(tempfile.gettempdir())
    for old in base.glob(f"{_PREFIX}*"):
        if (old / "lock").exists():
            try:
                with FileLock(old / "lock", timeout=0):
                    shutil.rmtree(old, ignore_errors=True)
            except (Timeout, OSError):  # in use, or another user's
                continue
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = FileLock(folder / "lock")
    lock.acquire()
    _held.append(lock)
    return folder
