"""Retriton with only the packages of one extra: links to those of this environment, in a folder of their own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = [str(ROOT / folder) for folder in ("client", "export", "pipeline", "serving")]


class Installation:
    """Runs Python with the sources of this checkout, and the packages of the base install and of ``extra``."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.folder = folder
        folder.mkdir()
        self._link("retriton")
        self._seen: set[tuple[str, str]] = set()
        for requirement in PROJECT["dependencies"]:
            self._add(Requirement(requirement))
        if extra:
            self._add(Requirement(f"retriton[{extra}]"))

    def retriton(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The result of a command line."""
        return self.python("from retriton.__main__ import main", "main()", arguments=("retriton", *arguments))

    def python(self, *lines: str, arguments: tuple[str, ...] = ("",)) -> subprocess.CompletedProcess[str]:
        """The result of a program; without `site`, so that no other package is found."""
        path = [*SOURCES, str(self.folder)]
        program = "\n".join([f"import sys; sys.path += {path}; sys.argv = {list(arguments)}", *lines])
        command = [sys.executable, "-I", "-S", "-c", program]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env={"COLUMNS": "200"})

    def _add(self, requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        for extra in requirement.extras or {""}:
            if (name, extra) in self._seen:
                continue
            self._seen.add((name, extra))
            for text in self._requirements(name, extra):
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    self._add(needed)

    def _requirements(self, name: str, extra: str) -> list[str]:
        if name == "retriton":
            return list(PROJECT["optional-dependencies"][extra])
        try:
            self._link(name)
            return distribution(name).requires or []
        except PackageNotFoundError:  # optional on this platform
            return []

    def _link(self, name: str) -> None:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or []} - {"..", "__pycache__", "_retriton.pth"}:
            link = self.folder / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
