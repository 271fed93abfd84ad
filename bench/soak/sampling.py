"""Samples what a service holds: memory, shared memory, threads, descriptors, files."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import psutil

from bench.served import Served, folder_bytes, region_prefix, shared_memory_bytes, values
from bench.soak.slope import Flatness, flatness

PERIOD_S = 5.0
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
# By measure: the share of its median, and the amount, by which it may grow after the warm-up.
_BOUNDS = {"threads": (0.05, 4.0), "descriptors": (0.05, 8.0), "shm_mib": (0.1, 4.0), "tmp_mib": (0.1, 8.0)}
_MEMORY_BOUND = (0.05, 24.0)
_GROWS = ("milvus_mib", "log_mib")  # with the number of writes and of kills; reported, not judged


@dataclass
class Samples:
    """Samples by measure; a measure is zero where its process does not run.

    Attributes:
        times_s: since the start.
        by_measure: as many values of each measure.
    """

    times_s: list[float] = field(default_factory=list)
    by_measure: dict[str, list[float]] = field(default_factory=dict)

    def add(self, time_s: float, found: dict[str, float]) -> None:
        """Adds one sample of all measures."""
        for name in {*found, *self.by_measure}:
            self.by_measure.setdefault(name, [0.0] * len(self.times_s)).append(found.get(name, 0.0))
        self.times_s.append(time_s)

    def at(self, share: float) -> dict[str, float]:
        """The values after a share of the time."""
        index = round(share * (len(self.times_s) - 1))
        return {name: values[index] for name, values in self.by_measure.items()}

    def judged(self) -> dict[str, Flatness]:
        """The flatness of each measure that must not grow, over the samples in which its process runs."""
        found = {}
        for name, samples in sorted(self.by_measure.items()):
            if name in _GROWS or name.startswith(("rss_reader", "pss_reader")):
                continue
            share, floor = _BOUNDS.get(name, _MEMORY_BOUND)
            points = [(at_s, value) for at_s, value in zip(self.times_s, samples, strict=True) if value]
            if len(points) >= 8:
                found[name] = flatness([at_s for at_s, _ in points], [value for _, value in points], share, floor)
        return found


class Sampler(threading.Thread):
    """Samples a service until `stop`."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True)
        self._served, self._ended, self.samples = served, threading.Event(), Samples()
        self._prefixes: set[str] = set()  # of the shared memory of all servers so far: those that ended must free it

    def run(self) -> None:
        """Samples every `PERIOD_S` seconds."""
        start = time.monotonic()
        while True:
            self._prefixes |= {region_prefix(triton) for triton in self._served.by_role().get("triton", [])} - {""}
            self.samples.add(time.monotonic() - start, measures(self._served, self._prefixes))
            if self._ended.wait(PERIOD_S):
                return

    def stop(self) -> Samples:
        """Ends the thread."""
        self._ended.set()
        self.join()
        return self.samples


def measures(served: Served, prefixes: set[str]) -> dict[str, float]:
    """All measures now: memory by role in MiB (RSS and PSS), threads and descriptors, and files in MiB.

    Args:
        served: the service.
        prefixes: of the names of its regions of shared memory.
    """
    found: dict[str, float] = {}
    roles = served.by_role()
    for role, processes in roles.items():
        found[f"rss_{role}"] = sum(values(processes, lambda process: process.memory_info().rss)) / 2**20
        found[f"pss_{role}"] = sum(values(processes, lambda process: process.memory_full_info().pss)) / 2**20
    processes = [process for found_processes in roles.values() for process in found_processes]
    found["threads"] = sum(values(processes, psutil.Process.num_threads))
    found["descriptors"] = sum(values(processes, psutil.Process.num_fds))
    found["shm_mib"] = shared_memory_bytes(prefixes) / 2**20
    if served.folder:
        found["tmp_mib"] = folder_bytes(served.folder / "tmp") / 2**20
        found["milvus_mib"] = (
            sum(file.stat().st_size for file in served.folder.glob("milvus.db*") if file.is_file()) / 2**20
        )
        found["log_mib"] = (served.folder / "serve.log").stat().st_size / 2**20
    return {name: round(value, 2) for name, value in found.items()}
