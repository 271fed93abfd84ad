"""The interface of a peer: how its environment is found, and what it measures."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class UnavailableError(RuntimeError):
    """A peer that is not installed, does not load the checkpoint, or fails."""


@dataclass(frozen=True)
class Job:
    """What a peer is given.

    Attributes:
        checkpoint: folder of the checkpoint, which a peer may write into.
        folder: folder with ``queries.json`` and ``passages.json``, for logs and for reports.
        passages, queries: texts.
        seconds: duration of a measurement.
    """

    checkpoint: Path
    folder: Path
    passages: list[str]
    queries: list[str]
    seconds: float


@dataclass(frozen=True)
class Rates:
    """What a peer measured.

    Attributes:
        sample: vectors of the first passages, float32 ``[SAMPLE, dimension]``.
        passages: passages a second.
        single_queries: queries a second from one caller, who waits for each response.
        queries: queries a second of many callers; None for a library.
    """

    sample: NDArray[np.float32]
    passages: float
    single_queries: float
    queries: float | None = None


@dataclass(frozen=True)
class Peer(ABC):
    """A server or library, with one choice of settings.

    Attributes:
        title: name in tables.
        package: distribution whose version is reported.
        requirements: name of its requirements file, and of its environment.
        precision: what it computes with.
        environ: variables of its process.
    """

    title: str
    package: str
    requirements: str
    precision: str
    environ: dict[str, str] = field(default_factory=dict, kw_only=True)

    @abstractmethod
    def measure(self, job: Job) -> Rates:
        """Starts the peer and measures it. Raises UnavailableError if that fails."""

    @property
    def name(self) -> str:
        """Title and precision: what results are listed by."""
        return f"{self.title}, {self.precision}"

    @property
    def environment(self) -> Path:
        """Folder of the virtual environment."""
        return Path(f".venv-peers-{self.requirements}")

    def version(self) -> str:
        """Version of the installed package. Raises UnavailableError if it is not installed."""
        if not (self.environment / ".ready").exists():
            raise UnavailableError(f"not installed; {last_line(self.environment / 'pip.log')}")
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        python = self.environment / "bin" / "python"
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def last_line(log: Path) -> str:
    """What a file of output ends with, in at most 300 characters."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"{log.name} ends with: {lines[-1][:300]}" if lines else f"{log.name} is empty"
