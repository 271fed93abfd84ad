"""Files of Milvus Lite: one process has one at a time, and lets it go.

`pymilvus` keeps the server of a file until the process ends. And `milvus-lite` 2.5 removes its lock file when it fails
to get it, so that a second attempt would open the file beside its owner, and damage it.
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
    """Takes the file for this process; each call needs its `release`.

    Raises:
        StoreError: another process has it.
    """
    file = Path(uri).resolve()
    with _guard:
        if not _users[file]:
            lock = FileLock(file.with_name(f".{file.name}.owner"), thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(
                    f"{uri} is in use by another process, and Milvus Lite serves one: wait for it, stop it, or use a "
                    "Milvus server (--milvus http://host:19530)"
                ) from None
            _locks[file] = lock
        _users[file] += 1


def release(uri: str) -> None:
    """Lets the file go, if nobody else in this process uses it."""
    from milvus_lite.server_manager import server_manager_instance  # absent where only servers are used

    file = Path(uri).resolve()
    with _guard:
        _users[file] -= 1
        if not _users[file]:
            server_manager_instance.release_server(str(file))
            _locks.pop(file).release()
