"""Locks Milvus Lite files, so that only one process opens a file at a time.

The locks of the libraries do not suffice: `pymilvus` keeps the server of a file running until the process ends, and
`milvus-lite` 2.5 removes its lock file when it fails to acquire the lock. A second attempt would then open the file
concurrently and corrupt it.
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from filelock import FileLock, Timeout

from retriton_pipeline.errors import StoreError

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
            lock = FileLock(file.with_name(f".{file.name}.owner"), thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(
                    f"{uri} is in use by another process, and Milvus Lite supports only one: wait for it, stop it, or "
                    "use a Milvus server (--milvus http://host:19530)"
                ) from None
            _locks[file] = lock
        _users[file] += 1


def stop_server(uri: str) -> None:
    """Stops the file's server, which a failed connection left, unless another store of this process uses it."""
    from milvus_lite.server_manager import server_manager_instance

    file = Path(uri).resolve()
    with _guard:
        if _users[file] == 1:
            server_manager_instance.release_server(str(file))


def release(uri: str) -> None:
    """Releases the file lock when no other store of this process uses the file."""
    from milvus_lite.server_manager import server_manager_instance  # not installed where only servers are used

    file = Path(uri).resolve()
    with _guard:
        _users[file] -= 1
        if not _users[file]:
            server_manager_instance.release_server(str(file))
            _locks.pop(file).release()
