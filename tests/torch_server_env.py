"""A server environment that has PyTorch: the packages of the test's server environment, and PyTorch of this one."""

from __future__ import annotations

import sys
from importlib.metadata import distribution, requires
from pathlib import Path

from packaging.requirements import Requirement


def with_torch(server_env: Path, target: Path) -> Path:
    """Links an environment with both into ``target``; both have the same version of Python."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = target / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    for entry in (server_env.resolve() / "lib" / version / "site-packages").iterdir():
        (packages / entry.name).symlink_to(entry)
    for name in {"torch", *_dependencies("torch")}:
        _link(name, packages)
    (target / "bin").mkdir()
    (target / "bin" / "python").symlink_to((server_env / "bin" / "python").resolve())
    (target / "bin" / "python3").symlink_to("python")
    (target / "pyvenv.cfg").write_text((server_env / "pyvenv.cfg").read_text())
    return target


def _dependencies(name: str) -> set[str]:
    found: set[str] = set()
    for text in requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= {requirement.name, *_dependencies(requirement.name)}
    return found


def _link(name: str, packages: Path) -> None:
    found = distribution(name)
    for top in {file.parts[0] for file in found.files or [] if file.parts[0] != ".."}:
        source, link = Path(str(found.locate_file(top))), packages / top
        if source.exists() and not link.exists():
            link.symlink_to(source)
