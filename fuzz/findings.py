"""Findings as files: the input, and beside it what was wrong and how to replay it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from fuzz.measuring import Problem

FOLDER = Path(".retriton/fuzz")


class Findings:
    """The findings of one target, one per kind and place.

    Args:
        target: its name.
        folder: of all findings.
    """

    def __init__(self, target: str, folder: Path = FOLDER) -> None:
        self._folder = folder / target
        self._folder.mkdir(parents=True, exist_ok=True)
        self._attempts = self._folder / "attempts"
        self._known = {json.loads(file.read_text())["key"] for file in self._folder.glob("*.json")}

    @property
    def current(self) -> Path:
        """The input that is being run, for when the process ends or hangs."""
        return self._folder / "current"

    def attempt(self, name: str, raw: bytes) -> None:
        """Notes that the attack ``name`` is run."""
        self.current.write_bytes(raw)
        with self._attempts.open("a") as file:
            file.write(f"{name}\n")

    def attempted(self) -> list[str]:
        """The attacks that were run, in order."""
        return self._attempts.read_text().splitlines() if self._attempts.exists() else []

    def forget_attempts(self) -> None:
        """Attacks are run again."""
        self._attempts.unlink(missing_ok=True)

    def add(self, raw: bytes, problem: Problem, note: str = "", size: int | None = None) -> Path | None:
        """Saves a finding.

        Args:
            raw: the input.
            problem: what is wrong.
            note: how it was found.
            size: its size for the bounds; None is the size of its parts.

        Returns:
            The file of the input; None if a finding with this key is known.
        """
        if problem.key in self._known:
            return None
        self._known.add(problem.key)
        file = self._folder / f"{problem.kind}-{hashlib.sha256(raw).hexdigest()[:12]}"
        file.write_bytes(raw)
        about = {
            "key": problem.key,
            **asdict(problem),
            "note": note,
            "size_bytes": size,
            "replay": f"python -m fuzz --replay {file}",
        }
        file.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")
        return file

    def known(self, problem: Problem) -> bool:
        """Whether a finding with the key of ``problem`` is saved."""
        return problem.key in self._known
