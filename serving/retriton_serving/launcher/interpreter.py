"""The Python interpreters that Triton's Python backend can embed."""

from __future__ import annotations

import ctypes
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retriton_serving.launcher.errors import LaunchError

VERSIONS = ("3.12", "3.11", "3.13")  # with a stub in Triton's wheel, by preference
_COMPILED = "3.13"  # NumPy below 2 has no wheel for it, and is compiled: minutes, and a C compiler
_DESCRIBE = """import sys, sysconfig
print(sys.executable)
print("%d.%d" % sys.version_info[:2])
print(sysconfig.get_config_var("LIBDIR"))
print(sys.base_prefix)"""

log = logging.getLogger("retriton.setup")


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter that runs.

    Attributes:
        executable: its file.
        version: as ``3.11``.
        library_folder: where the shared libpython is, if it is not among the system's libraries.
    """

    executable: Path
    version: str
    library_folder: Path

    @classmethod
    def of(cls, python: Path | str) -> Interpreter:
        """Runs it, and asks it what it is.

        Raises:
            LaunchError: it does not run.
        """
        try:
            done = subprocess.run([python, "-c", _DESCRIBE], capture_output=True, text=True, check=True)
        except OSError as error:
            raise LaunchError(f"{python} cannot be run: {error.strerror}") from None
        except subprocess.CalledProcessError as error:
            raise LaunchError(f"{python} cannot be run: {error.stderr.strip()}") from None
        executable, version, library_folder, prefix = done.stdout.splitlines()
        folders = [Path(library_folder), Path(prefix) / "lib"]
        found = [folder for folder in folders if (folder / _libpython(version)).exists()]
        return cls(Path(executable), version, found[0] if found else folders[0])

    def check(self) -> None:
        """Whether Triton can embed it.

        Raises:
            LaunchError: its version has no stub, or its shared libpython is missing.
        """
        if self.version not in VERSIONS:
            raise LaunchError(f"{self.executable} is Python {self.version}; Triton needs 3.11, 3.12 or 3.13")
        if (self.library_folder / _libpython(self.version)).exists():
            return
        try:
            ctypes.CDLL(_libpython(self.version))
        except OSError:
            raise LaunchError(
                f"Triton's Python backend needs {_libpython(self.version)}, which {self.executable} has not. "
                f"On Debian and Ubuntu: sudo apt-get install libpython{self.version}"
            ) from None


def choose_interpreter(named: str | None = None, on_step: Callable[[str], None] = log.info) -> Interpreter:
    """The interpreter for the server's environment.

    Args:
        named: a command, a path, or a version such as ``3.12``. None: the one that runs this, else the best on PATH,
            else one that `uv` installs. Python 3.13 comes last, because NumPy below 2 must be compiled for it.
        on_step: called before an interpreter is downloaded.

    Raises:
        LaunchError: there is none, or Triton cannot embed the one that is named.
    """
    if named:
        return _checked(f"python{named}" if named in VERSIONS else named)
    reasons = []
    for candidate in _candidates(on_step):
        try:
            return _checked(candidate)
        except LaunchError as error:
            reasons.append(str(error))
    raise LaunchError(
        f"Triton needs Python 3.11, 3.12 or 3.13 with its shared library; uv, if installed, gets one. {reasons[0]}"
    )


def _candidates(on_step: Callable[[str], None]) -> Iterator[str]:
    """Interpreters to try, the best first; one of uv is only installed when it is tried."""
    compiled = f"python{_COMPILED}"
    if "{}.{}".format(*sys.version_info[:2]) == _COMPILED:
        compiled = sys.executable
    else:
        yield sys.executable
    yield from (f"python{version}" for version in VERSIONS if version != _COMPILED)
    yield from _installed_by_uv(on_step)
    yield compiled


def _checked(python: str) -> Interpreter:
    interpreter = Interpreter.of(python)
    interpreter.check()
    return interpreter


def _installed_by_uv(on_step: Callable[[str], None]) -> Iterator[str]:
    """An interpreter that uv has or downloads; nothing without uv."""
    uv = shutil.which("uv")
    if not uv:
        return
    on_step(f"installing Python {VERSIONS[0]} with uv")
    install = [uv, "python", "install", "--quiet", VERSIONS[0]]
    find = [uv, "python", "find", "--managed-python", VERSIONS[0]]
    try:
        subprocess.run(install, capture_output=True, text=True, check=True)
        yield subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        on_step(f"uv cannot install Python {VERSIONS[0]}: {error.stderr.strip()}")


def _libpython(version: str) -> str:
    """File name of the shared library of a version."""
    return f"libpython{version}.so.1.0"
