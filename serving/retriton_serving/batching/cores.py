"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota_file: Path = _QUOTA) -> int:
    """The cores of its affinity, limited by its control group's quota: a container sees all cores of the node."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
    except (OSError, ValueError):  # no control groups, or those of version 1
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))
