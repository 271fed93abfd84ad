"""The temporary files of a server, and the removal of those that a killed server left behind.

A server's folder holds an open, locked file. Triton and its processes inherit the lock, and the kernel releases it
when the last of them has ended, however it ended. So a folder whose lock is free belongs to nobody.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from retriton_serving.launcher.errors import LaunchError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton's Python backend keeps its regions
_PREFIX = "retriton-serve-"
_LOCK = "lock"  # its content is the prefix of the server's regions
_REGIONS = "retriton_"

log = logging.getLogger("retriton.serve")


class Scratch:
    """A folder for one server, and the prefix of its regions of shared memory.

    Attributes:
        folder: the folder.
        region_prefix: the prefix.
        lock: file descriptor that every process of the server must inherit.

    Raises:
        LaunchError: there is no temporary folder that can be written.
    """

    def __init__(self) -> None:
        self.region_prefix = f"{_REGIONS}{uuid.uuid4().hex[:12]}_"
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        except OSError as error:
            raise LaunchError(f"no temporary folder can be written: {error}. Name another with TMPDIR") from None
        try:
            self.lock = self._locked()
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise LaunchError(f"{self.folder} cannot be written: {error}. Name another with TMPDIR") from None

    def _locked(self) -> int:
        """Locks a file before it gets the name that `sweep` looks for."""
        unnamed = self.folder / f"{_LOCK}.new"
        lock = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.write(lock, self.region_prefix.encode())
            unnamed.rename(self.folder / _LOCK)
        except OSError:
            os.close(lock)
            raise
        return lock

    def remove(self) -> None:
        """Removes folder and regions; the processes of the server have ended."""
        _remove(self.folder, self.region_prefix)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def sweep() -> None:
    """Removes what servers of this user left behind whose processes have all ended."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            sweep_folder(folder)
        except OSError as error:
            log.debug("%s is not removed: %s", folder, error)


def sweep_folder(folder: Path) -> None:
    """Removes one folder and its regions, unless a process of its server lives or it belongs to another user.

    Raises:
        OSError: it is not removed; `BlockingIOError` while a process lives.
    """
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises BlockingIOError while a process of the server lives
        prefix = os.read(lock, 64).decode(errors="replace")
        log.warning("removing %s of a server that was killed", folder)
        _remove(folder, prefix if prefix.startswith(_REGIONS) and prefix.endswith("_") else "")
    finally:
        os.close(lock)


def _remove(folder: Path, region_prefix: str) -> None:
    if region_prefix and SHARED_MEMORY.is_dir():
        for region in SHARED_MEMORY.iterdir():
            if region.name.startswith(region_prefix):
                region.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
