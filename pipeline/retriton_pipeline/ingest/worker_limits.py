"""What restricts a worker process: the end of its parent, and a limit of its memory."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import resource
import select
from pathlib import Path

EXIT_MEMORY = 77  # exit code of a worker whose file needed more memory than allowed


def end_with_parent() -> None:
    """Lets the kernel end this process as soon as the parent has ended, however it ended.

    The kernel sends SIGIO when the parent's end of a pipe closes. A thread that waits for that would not run while a
    parser holds the GIL, and ``PR_SET_PDEATHSIG`` would end the process with the thread that started it.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    pipe = parent.sentinel
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:  # it ended before
        os._exit(1)


def limit_memory(bytes_max: int) -> None:
    """Limits the memory of this process to ``bytes_max`` more than it has now.

    `RLIMIT_DATA` counts private writable memory. Unlike `RLIMIT_AS`, it does not count files and address ranges that
    libraries map or reserve and do not write to. Allocations beyond it fail.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = data_bytes() + bytes_max
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # crashes write no file


def data_bytes() -> int:
    """The private writable memory of this process, in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    except OSError:
        return 0
    return pages * resource.getpagesize()
