"""Limits of the processes that parse files: memory, and time in proportion to the size of the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from retriton_pipeline.errors import InvalidOption

MIB = 1024**2
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_MEMORY_MIB_MIN, _MEMORY_MIB_MAX = 256, 2048


@dataclass(frozen=True)
class ParserLimits:
    """What parsing one file, or one part of it, may take. Files that need more are reported and skipped.

    Attributes:
        memory_mib: MiB of memory of a process, besides what it needs before it parses; 0 selects 2048, or less where
            all processes together would take more than half of the memory of the machine or the container.
        seconds_min: seconds for small files.
        seconds_per_mib: seconds for each further MiB.
        seconds_max: seconds for the largest files.

    Raises:
        InvalidOption: a value is out of range.
    """

    memory_mib: int = 0
    seconds_min: float = 30.0
    seconds_per_mib: float = 30.0
    seconds_max: float = 600.0

    def __post_init__(self) -> None:
        if self.memory_mib < 0:
            raise InvalidOption(f"the memory limit of parsers is {self.memory_mib} MiB, it must be positive")
        if not 0 < self.seconds_min <= self.seconds_max or self.seconds_per_mib < 0:
            raise InvalidOption(
                f"the time limit of parsers is from {self.seconds_min:g} to {self.seconds_max:g} s and "
                f"{self.seconds_per_mib:g} s for each MiB: all must be positive, the least not above the most"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ParserLimits:
        """The limits of ``RETRITON_PARSER_MEMORY_MIB``, ``RETRITON_PARSER_SECONDS_MIN`` and so on, or the defaults.

        Raises:
            InvalidOption: a value is not a number, or out of range.
        """
        values = {field.name: environment.get(variable_of(field.name), "") for field in fields(cls)}
        try:
            memory = int(values.pop("memory_mib") or cls.memory_mib)
            seconds = {name: float(value) for name, value in values.items() if value}
        except ValueError as error:
            raise InvalidOption(f"a variable {variable_of('*')} is not a number: {error}") from error
        return cls(memory, **seconds)

    def seconds(self, size_bytes: int) -> float:
        """The time limit for a file of ``size_bytes``."""
        return min(self.seconds_min + self.seconds_per_mib * size_bytes / MIB, self.seconds_max)

    def memory_bytes(self, workers: int) -> int:
        """The memory limit of one of ``workers`` processes."""
        half_of_available = available_memory() // 2 // workers // MIB
        return (self.memory_mib or min(_MEMORY_MIB_MAX, max(half_of_available, _MEMORY_MIB_MIN))) * MIB


def variable_of(field: str) -> str:
    """The environment variable of a field of `ParserLimits`."""
    return f"RETRITON_PARSER_{field.upper()}"


def available_memory() -> int:
    """The memory of the machine, or of the container if that is less, in bytes."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for path in _CGROUP_LIMITS if (limit := _limit(Path(path))))])


def _limit(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdecimal() else 0  # "max" is none
