"""Which devices of a model work, which its process writes into the folder of the server's start, and others read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

_REASON_CHARACTERS = 300  # of an error of CUDA, which repeats advice


@dataclass(frozen=True)
class DeviceReport:
    """The devices of an engine.

    Attributes:
        working: names of those that compute.
        failed: names of those that were taken out, with the reason.
    """

    working: list[str]
    failed: dict[str, str] = field(default_factory=dict)

    def problem(self) -> str:
        """What is wrong, in one line; empty if all devices work."""
        if not self.failed:
            return ""
        reasons = "; ".join(
            f"{name} failed ({' '.join(reason.split())[:_REASON_CHARACTERS]})" for name, reason in self.failed.items()
        )
        return f"{len(self.working)} of {len(self.working) + len(self.failed)} devices compute: {reasons}"

    def write(self, folder: Path, model: str) -> None:
        """Replaces the report of a model."""
        file = _file(folder, model)
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(file)

    @classmethod
    def read(cls, folder: Path, model: str) -> DeviceReport:
        """Reads the report of a model; without one, an empty report."""
        try:
            return cls(**json.loads(_file(folder, model).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls([])


def _file(folder: Path, model: str) -> Path:
    return folder / f"devices-{model}.json"
