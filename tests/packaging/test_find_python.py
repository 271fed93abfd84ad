"""The interpreter that `make` takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "deploy" / "local" / "find_python.sh"


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A PATH without any interpreter."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    return folder


def command(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def find(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT], env={**os.environ, "PATH": str(folder)}, capture_output=True, text=True)


def test_the_newest_that_runs_is_taken(commands: Path) -> None:
    """As with pyenv, whose shims for versions that are not selected fail."""
    command(commands / "python3.13", "exit 127")
    for version in ("3.12", "3.11"):
        command(commands / f"python{version}", "exit 0")
    assert find(commands).stdout.strip() == str(commands / "python3.12")


def test_uv_gets_one_where_there_is_none(commands: Path) -> None:
    command(commands / "uv", '[ "$2" = find ] && echo /uv/python3.13; exit 0')
    done = find(commands)
    assert done.stdout.strip() == "/uv/python3.13"
    assert "getting 3.13 with uv" in done.stderr


def test_without_any_the_message_says_what_to_install(commands: Path) -> None:
    done = find(commands)
    assert done.returncode == 1
    assert "make PYTHON=" in done.stderr
