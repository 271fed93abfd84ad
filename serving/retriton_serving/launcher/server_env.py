"""The environment of Triton's Python backend: Triton itself, the engines, and NumPy below 2.

Retriton runs outside of it with NumPy 2, so the two cannot be one environment. This one is created on first use, with
`uv` where it is found and `venv` and `pip` otherwise; both read the user's own configuration of indexes and mirrors.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.interpreter import choose_interpreter
from retriton_serving.launcher.repository import data_folder
from retriton_serving.launcher.server_packages import install_packages, server_requirements

SERVER_ENV_VARIABLE = "RETRITON_SERVER_ENV"
_MARKER = "retriton-server.json"  # empty while an environment is being made

log = logging.getLogger("retriton.setup")


@dataclass(frozen=True)
class Contents:
    """What an environment was made from.

    Attributes:
        requirements: of its packages, without Triton's own.
        python: version of its interpreter.
        constraint: SHA-256 of the file of constraints; empty without one.
        gpu: whether it has the engines for GPUs.
    """

    requirements: list[str]
    python: str
    constraint: str = ""
    gpu: bool = False


def default_server_env() -> Path:
    """RETRITON_SERVER_ENV, else a folder under the user's data folder. Creates nothing."""
    if named := os.environ.get(SERVER_ENV_VARIABLE):
        return Path(named)
    return data_folder() / "server"


def ensure_server_env(
    environment: Path | None = None,
    *,
    python: str | None = None,
    constraint: Path | None = None,
    on_step: Callable[[str], None] = log.info,
) -> Path:
    """The environment for `TritonWheel`; it is created where it is missing.

    One that `create_server_env` made is made again where it is incomplete or its requirements have changed; one that
    was made otherwise is left as it is.

    Args:
        environment: as for `create_server_env`, like the other arguments.
        python: an interpreter or its version.
        constraint: a file of constraints for pip.
        on_step: called with each step before it begins.

    Raises:
        LaunchError: it cannot be created.
    """
    environment = environment or default_server_env()
    if _occupied(environment):
        return environment
    return create_server_env(environment, python=python, constraint=constraint, on_step=on_step)


def create_server_env(
    environment: Path | None = None,
    *,
    python: str | None = None,
    constraint: Path | None = None,
    gpu: bool | None = None,
    on_step: Callable[[str], None] = log.info,
) -> Path:
    """Creates the environment, or brings it up to date; does nothing where it is up to date.

    It can be interrupted and called again, also by several processes at the same time.

    Args:
        environment: its folder; default: `default_server_env`.
        python: an interpreter or its version; default: see `choose_interpreter`.
        constraint: a file of constraints for pip.
        gpu: whether it gets the engines for GPUs; None keeps what it has.
        on_step: called with each step before it begins.

    Raises:
        LaunchError: the folder has other contents, no interpreter can be used, or an installation fails.
    """
    environment = (environment or default_server_env()).absolute()
    if _occupied(environment):
        raise LaunchError(
            f"{environment} was not created by `retriton setup`: remove that folder, or name another with --server-env"
        )
    environment.mkdir(parents=True, exist_ok=True)
    with _locked(environment / _MARKER) as marker:
        made = _made(environment, marker)
        gpu = (made.gpu if made else False) if gpu is None else gpu
        if made and _up_to_date(made, python, constraint, gpu):
            return environment
        interpreter = choose_interpreter(python, on_step)
        marker.truncate(0)
        _clear(environment)
        requirements = server_requirements(interpreter.version, gpu)
        contents = Contents(requirements, interpreter.version, _digest(constraint), gpu)
        on_step(f"creating the server's environment in {environment} (Python {interpreter.version})")
        install_packages(environment, interpreter, contents.requirements, constraint, on_step)
        marker.write(json.dumps(asdict(contents)))
    return environment


def _occupied(environment: Path) -> bool:
    """Whether there is something that `create_server_env` did not make."""
    if not environment.exists() or (environment / _MARKER).exists():
        return False
    return not environment.is_dir() or any(environment.iterdir())


@contextmanager
def _locked(marker: Path) -> Iterator[IO[str]]:
    """The marker, open for reading and appending, while no other process holds it."""
    with marker.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


def _made(environment: Path, marker: IO[str]) -> Contents | None:
    """What a complete environment was made from."""
    text = marker.read()
    if not text or not (environment / "bin" / "python").exists():
        return None
    return Contents(**json.loads(text))


def _up_to_date(made: Contents, python: str | None, constraint: Path | None, gpu: bool) -> bool:
    return (
        made.gpu == gpu
        and made.requirements == server_requirements(made.python, gpu)
        and (python is None or made.python == choose_interpreter(python).version)
        and (constraint is None or made.constraint == _digest(constraint))
    )


def _digest(constraint: Path | None) -> str:
    if constraint is None:
        return ""
    try:
        return hashlib.sha256(constraint.read_bytes()).hexdigest()
    except OSError as error:
        raise LaunchError(f"the constraints in {constraint} cannot be read: {error.strerror}") from None


def _clear(environment: Path) -> None:
    """Removes everything but the marker, which is locked."""
    for entry in environment.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _MARKER:
            entry.unlink()
