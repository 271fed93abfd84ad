"""Locks Milvus Lite files, so that only one process opens a file at a time, and starts and stops their servers.

The locks of the libraries do not suffice: `pymilvus` keeps the server of a file running until the process ends, and
`milvus-lite` 2.5 removes its lock file when it fails to acquire the lock. A second attempt would then open the file
concurrently and corrupt it.

A server writes its log into a folder beside the file, ``.NAME.log``, which is emptied when the file is opened and
removed when it is closed. Otherwise each opening would leave several files in the folder for temporary files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from retriton_pipeline.errors import StoreError

_LOG_MB_MAX = 8  # of each of its files
_users: Counter[Path] = Counter()
_locks: dict[Path, FileLock] = {}
_guard = threading.Lock()


def acquire(uri: str) -> None:
    """Acquires the file lock for this process. Each call must be paired with one of `release`.

    Raises:
        StoreError: another process holds the lock.
    """
    file = Path(uri).resolve()
    with _guard:
        if not _users[file]:
            owner = file.with_name(f".{file.name}.owner")
            lock = FileLock(owner, thread_local=False)
            try:
                owner.touch()  # `FileLock` reports a refusal of the file system as a lock of another process
                lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(
                    f"{uri} is in use by another process, and Milvus Lite supports only one: wait for it, stop it, or "
                    "use a Milvus server (--milvus http://host:19530)"
                ) from None
            except OSError as error:
                raise StoreError(
                    f"{uri} cannot be locked: {error}. Name a file in a folder that this user may write to "
                    "(--milvus FILE.db)"
                ) from error
            _locks[file] = lock
        _users[file] += 1


def start_server(uri: str) -> subprocess.Popen[bytes]:
    """Returns the process of the file's server; starts it unless it runs. Call it between `acquire` and `release`.

    Raises:
        OSError: it ended at once.
    """
    from milvus_lite.server_manager import server_manager_instance

    file = Path(uri).resolve()
    with _guard:
        if process := _process(file):
            if process.poll() is None:
                return process
            server_manager_instance.release_server(str(file))  # it ended: another store has not started it again yet
        with _server_environment(file):
            server_manager_instance.start_and_get_uri(str(file))
        process = _process(file)
    if process is None:
        raise OSError("Milvus Lite does not start")
    return process


def stop_server(uri: str) -> None:
    """Stops the file's server, which a failed connection left, unless another store of this process uses it."""
    file = Path(uri).resolve()
    with _guard:
        if _users[file] == 1:
            _stop(file)


def release(uri: str) -> None:
    """Releases the file lock when no other store of this process uses the file."""
    file = Path(uri).resolve()
    with _guard:
        _users[file] -= 1
        if not _users[file]:
            _stop(file)
            shutil.rmtree(_log_of(file), ignore_errors=True)
            _locks.pop(file).release()


def _stop(file: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance  # not installed where only servers are used

    if _process(file):
        server_manager_instance.release_server(str(file))


def _process(file: Path) -> subprocess.Popen[bytes] | None:
    from milvus_lite.server_manager import server_manager_instance

    server = server_manager_instance._servers.get(str(file))
    process: subprocess.Popen[bytes] | None = server._p if server else None
    return process


def _log_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.log")


@contextmanager
def _server_environment(file: Path) -> Iterator[None]:
    """Empties the folder of the file's log, and names it in the environment, where the server's logger looks for it."""
    folder = _log_of(file)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = {"GLOG_log_dir": str(folder), "GLOG_max_log_size": str(_LOG_MB_MAX)}
    settings["HOME"] = os.environ.get("HOME", str(folder))  # without it, Milvus Lite ends at once
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
