"""CPU time and memory of a server's processes."""

from __future__ import annotations

import psutil


class ServerProcesses:
    """`tritonserver` and its Python backends.

    Args:
        pid: process id of `tritonserver`.
    """

    def __init__(self, pid: int) -> None:
        server = psutil.Process(pid)
        self._processes = [server, *server.children(recursive=True)]
        self._engine = next(p for p in self._processes if any("/encoder/1/" in part for part in p.cmdline()))
        self._start = self._cpu_s()

    def _cpu_s(self) -> dict[int, float]:
        return {process.pid: sum(process.cpu_times()[:2]) for process in self._processes}

    def restart(self) -> None:
        """Resets the counters of CPU time."""
        self._start = self._cpu_s()

    def engine_cpu_share(self) -> float:
        """Returns the engine's share of the CPU time of all processes since the last `restart`."""
        spent = {pid: seconds - self._start[pid] for pid, seconds in self._cpu_s().items()}
        return spent[self._engine.pid] / sum(spent.values())

    def memory_bytes(self) -> int:
        """Returns the memory of all processes, counting shared memory once (proportional set size)."""
        return sum(process.memory_full_info().pss for process in self._processes)
