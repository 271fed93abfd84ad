"""The interpreters of this machine that the packages are tested with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from retriton_serving.launcher import LaunchError
from retriton_serving.launcher.interpreter import VERSIONS, choose_interpreter
from tests.conftest import ROOT

ENVIRONMENTS = ROOT / ".retriton" / "test-environments"  # kept: the next run takes seconds
each_version = pytest.mark.parametrize("version", sorted(VERSIONS))


def find(version: str) -> Path:
    """An interpreter of a version; skips the test where there is none."""
    for candidate in _candidates(version):
        try:
            interpreter = choose_interpreter(candidate)
        except LaunchError:
            continue
        usable = subprocess.run([interpreter.executable, "-c", "import ensurepip, venv"], capture_output=True)
        if interpreter.version == version and usable.returncode == 0:
            return interpreter.executable
    pytest.skip(f"no Python {version} with venv and a shared libpython: name one in RETRITON_TEST_PYTHONS")


def _candidates(version: str) -> Iterator[str]:
    """Those in RETRITON_TEST_PYTHONS (separated like PATH), on PATH, and of pyenv."""
    yield from filter(None, os.environ.get("RETRITON_TEST_PYTHONS", "").split(os.pathsep))
    yield f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")))
