"""Folders for uploaded files on disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from retriton_pipeline.gateway.storage.database import StorageError

_PREFIX = "retriton-uploads-"
_held: list[FileLock] = []  # until the process ends, even if it is killed


class UploadFolders:
    """The folder of this process, and those of uploads in it.

    Args:
        base: where it is made, beside those of other processes; None for the folder of temporary files.
    """

    def __init__(self, base: Path | None) -> None:
        self.base = base or Path(tempfile.gettempdir())

    @cached_property
    def own(self) -> Path:
        """An empty folder of this process, made when it is first used. It exists as long as the process does."""
        self.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.remove_abandoned()
        while True:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.base))
            lock = FileLock(folder / "lock")
            lock.acquire()
            if (folder / "lock").exists():  # no other process took it for an abandoned one, before it was locked
                _held.append(lock)
                return folder
            lock.release()

    def current(self, number: int) -> Path:
        """Where the files of a current upload are. Documents are identified by their place in it."""
        return self.own / f"current-{number}"

    def new(self) -> Path:
        """A new, empty folder for the files of an upload. Raises `StorageError`."""
        try:
            return Path(tempfile.mkdtemp(dir=self.own))
        except OSError as error:
            raise StorageError(f"{self.base}: {error}") from error

    def is_alive(self, process: str) -> bool:
        """Whether the folder of a process, which is given by its name, exists."""
        return (self.base / process).is_dir()

    def remove_abandoned(self) -> None:
        """Removes the folders of processes that were killed."""
        for old in self.base.glob(f"{_PREFIX}*"):
            if (old / "lock").exists():
                try:
                    with FileLock(old / "lock", timeout=0):
                        shutil.rmtree(old, ignore_errors=True)
                except (Timeout, OSError):  # in use, or another user's
                    continue

    def remove(self) -> None:
        """Removes the folder of this process."""
        if "own" in self.__dict__:
            shutil.rmtree(self.own, ignore_errors=True)


def link_file(content: str | Path, target: str | Path) -> None:
    """The same file under another name, or a copy on another disk."""
    try:
        os.link(content, target)
    except OSError:
        shutil.copyfile(content, target)


def write_through(*paths: Path) -> None:
    """Makes sure that the contents of files, and the names in folders, are on the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
