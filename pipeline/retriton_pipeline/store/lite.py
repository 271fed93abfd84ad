"""Locks Milvus Lite files, so that only one process opens a file at a time, and starts and stops their servers.

The locks of the libraries do not suffice: `pymilvus` keeps the server of a file running until the process ends, and
`milvus-lite` 2.5 removes its lock file when it fails to acquire the lock. A second attempt would then open the file
concurrently and corrupt it.

Who waits for a lock touches its file again and again, which tells the owner that the file is wanted (see `is_wanted`).

A server writes its log and its temporary files into a folder beside the file, ``.NAME.log``, which is emptied when the
file is opened and removed when it is closed. Otherwise each opening would leave several files in the folder for
temporary files, and servers that start and end at the same time would fail over one folder in the user's home.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from retriton_pipeline.errors import StoreError

_LOG_MB_MAX = 8  # of each of its files
_LISTENS_S_MAX = 30.0
_WAIT_S = 5.0  # for an owner that releases a wanted file as soon as nobody searches it
_POLL_S = 0.1
_users: Counter[Path] = Counter()
_locks: dict[Path, FileLock] = {}
_touched_ns: dict[Path, int] = {}  # when the files of the locks were touched by this process
_guard = threading.Lock()


def acquire(uri: str, wait_s: float = _WAIT_S) -> None:
    """Acquires the file lock for this process. Each call must be paired with one of `release`.

    Args:
        uri: the file.
        wait_s: seconds for which a lock of another process is waited for.

    Raises:
        StoreError: another process holds the lock.
    """
    deadline_s = time.monotonic() + wait_s
    while not _is_acquired(uri):
        if time.monotonic() > deadline_s:
            raise StoreError(
                f"{uri} is in use by another process, and Milvus Lite supports only one: wait for it, stop it, or use "
                "a Milvus server (--milvus http://host:19530)"
            )
        time.sleep(_POLL_S)


def _is_acquired(uri: str) -> bool:
    file = Path(uri).resolve()
    with _guard:
        if not _users[file]:
            owner = _owner_of(file)
            lock = FileLock(owner, thread_local=False)
            try:
                owner.touch()  # `FileLock` reports a refusal of the file system as a lock of another process
                lock.acquire(timeout=0)
            except Timeout:
                return False
            except OSError as error:
                raise StoreError(
                    f"{uri} cannot be locked: {error}. Name a file in a folder that this user may write to "
                    "(--milvus FILE.db)"
                ) from error
            _locks[file], _touched_ns[file] = lock, owner.stat().st_mtime_ns
        _users[file] += 1
        return True


def is_wanted(uri: str) -> bool:
    """Whether another process has tried to acquire the file lock since this process did, and since the last call.

    It does not wait for a server that starts or stops meanwhile.
    """
    file = Path(uri).resolve()
    with suppress(OSError):
        touched_ns = _owner_of(file).stat().st_mtime_ns
        if _users[file] and _touched_ns[file] != touched_ns:
            _touched_ns[file] = touched_ns
            return True
    return False


def users(uri: str) -> int:
    """How many stores of this process have the file open."""
    return _users[Path(uri).resolve()]


def start_server(uri: str) -> subprocess.Popen[bytes]:
    """Returns the process of the file's server; starts it unless it runs. Call it between `acquire` and `release`.

    Raises:
        OSError: it ended at once, or does not listen in time.
    """
    from milvus_lite.server_manager import server_manager_instance

    file = Path(uri).resolve()
    with _guard:
        if process := _process(file):
            if process.poll() is None:
                return process
            server_manager_instance.release_server(str(file))  # it ended: another store has not started it again yet
        server = _server(file)
        if not (server.init() and server.start()):
            raise OSError("Milvus Lite does not start")
        _wait_until_it_listens(server)
        server_manager_instance._servers[str(file)] = server  # where `pymilvus` looks for it
        started: subprocess.Popen[bytes] = server._p
        return started


def _wait_until_it_listens(server: Any) -> None:
    """`pymilvus` does not wait; on a busy machine, the server needs more than the half second that `start` takes."""
    deadline_s = time.monotonic() + _LISTENS_S_MAX
    while server._p.poll() is None and time.monotonic() < deadline_s:
        with socket.socket(socket.AF_UNIX) as trial, suppress(OSError):
            trial.connect(server._uds_path)
            return
        time.sleep(0.02)
    code = server._p.poll()
    server.stop()
    if code is None:
        raise OSError(f"Milvus Lite does not listen on {server._uds_path} after {_LISTENS_S_MAX:g} s")
    raise OSError(f"Milvus Lite ended with code {code} while it started")


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
            try:
                _stop(file)
            finally:  # otherwise nobody could open the file until this process ends
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


def _owner_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.owner")


def _log_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.log")


def _server(file: Path) -> Any:
    """The file's server, not started, with variables of its own; in ``os.environ`` other threads would see them."""
    from milvus_lite.server import Server

    folder = _log_of(file)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    # In its home, each server creates .cache/milvus, and removes it at its end: not from under another one.
    variables = [f"HOME={folder}", f"GLOG_log_dir={folder}", f"GLOG_max_log_size={_LOG_MB_MAX}"]

    class ServerWithVariables(Server):  # type: ignore[misc]
        @property
        def args(self) -> list[str]:
            return ["env", *variables, *map(str, super().args)]

    return ServerWithVariables(str(file))
