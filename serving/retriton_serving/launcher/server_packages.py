"""Installs the packages of the server's environment, with `uv` or with `venv` and `pip`."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.interpreter import Interpreter

TRITON_WHEEL = "nvidia-pytriton>=0.7"  # without its dependencies: only the server inside is used
_EXTRA, _GPU_EXTRA = "triton", "gpu"
_FOR_CPUS = "onnxruntime"  # the package onnxruntime-gpu has the same modules, and computes on CPUs, too
_ERROR_LINES = 15


def server_requirements(python: str, gpu: bool = False) -> list[str]:
    """The extra `triton` of the installed distribution, for a version of Python, and then the wheel of Triton.

    Args:
        python: the version.
        gpu: whether the extra `gpu` is added.

    Raises:
        LaunchError: retriton is not installed.
    """
    from packaging.requirements import Requirement

    try:
        declared = importlib.metadata.requires("retriton") or []
    except importlib.metadata.PackageNotFoundError:
        raise LaunchError("retriton is not installed, so the requirements of its server are unknown") from None
    variables = {"python_version": python, "python_full_version": f"{python}.0"}
    found = set()
    for requirement in map(Requirement, declared):
        marker = requirement.marker
        if not marker or marker.evaluate({**variables, "extra": ""}):
            continue  # of every installation
        extras = [_EXTRA, _GPU_EXTRA] if gpu else [_EXTRA]
        if any(marker.evaluate({**variables, "extra": extra}) for extra in extras):
            if gpu and requirement.name == _FOR_CPUS:
                continue
            requirement.marker = None
            found.add(str(requirement))
    return [*sorted(found), TRITON_WHEEL]


def install_packages(
    environment: Path,
    interpreter: Interpreter,
    requirements: list[str],
    constraint: Path | None,
    on_step: Callable[[str], None],
) -> None:
    """Creates the environment in an empty folder, and installs ``requirements``, of which the last is Triton.

    Raises:
        LaunchError: an installation fails; the message has the end of its output.
    """
    if uv := shutil.which("uv"):
        try:
            _run([uv, "venv", "--quiet", "--allow-existing", "--python", interpreter.executable, environment])
            _install([uv, "pip", "install", "--python", environment], requirements, constraint, on_step)
            return
        except LaunchError as error:
            on_step(f"uv failed, pip is used instead: {error}")
    _run([interpreter.executable, "-m", "venv", environment])
    pip: list[str | Path] = [environment / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
    _install(pip, requirements, constraint, on_step)


def _install(
    command: Sequence[str | Path], requirements: list[str], constraint: Path | None, on_step: Callable[[str], None]
) -> None:
    constraints: list[str | Path] = ["--constraint", constraint] if constraint else []
    command = [*command, "--quiet", *constraints]
    *packages, triton = requirements
    on_step(f"installing {', '.join(packages)}")
    _run([*command, *packages])
    on_step(f"installing Triton ({triton})")
    _run([*command, "--no-deps", triton])


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        output = "\n  ".join(done.stdout.splitlines()[-_ERROR_LINES:])
        raise LaunchError(f"{' '.join(map(str, command))} failed:\n  {output}")
