"""Worker processes that do not import the program that starts them.

`multiprocessing` imports the main module again in every process that it spawns. A script that ingests documents without
``if __name__ == "__main__"`` would then ingest again in each worker. The workers need nothing of the main module.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

_lock = threading.Lock()


class WorkerProcess(SpawnProcess):
    """A spawned process with an empty main module."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - the name that `BaseProcess.start` calls
        with _empty_main_module():
            return SpawnProcess._Popen(process_obj)


class WorkerContext(SpawnContext):
    """Starts `WorkerProcess`."""

    Process = WorkerProcess


@contextmanager
def _empty_main_module() -> Iterator[None]:
    """Hides the main module from `multiprocessing.spawn.get_preparation_data`, which runs inside."""
    with _lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
