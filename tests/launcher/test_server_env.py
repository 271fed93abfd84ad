"""The server's environment, as far as it needs no installation; tests/packaging creates real ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from retriton_serving.launcher import LaunchError, TritonWheel, create_server_env, ensure_server_env
from retriton_serving.launcher.interpreter import Interpreter, choose_interpreter

pytestmark = pytest.mark.slow

NOTHING = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}


def script(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds no package, and there is no uv."""
    for name, value in NOTHING.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="on 3.13, an older Python is preferred for the server")
def test_the_interpreter_that_runs_this_is_taken() -> None:
    chosen = choose_interpreter()
    assert (chosen.executable, chosen.version) == (Path(sys.executable), "{}.{}".format(*sys.version_info[:2]))


def test_a_command_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    """As a shim of pyenv for a version that is not selected."""
    shim = script(tmp_path / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    with pytest.raises(LaunchError, match="python3.12 cannot be run: pyenv: .*not found"):
        choose_interpreter(str(shim))
    with pytest.raises(LaunchError, match="No such file"):
        choose_interpreter(str(tmp_path / "python"))


def test_a_version_without_a_stub_is_refused(tmp_path: Path) -> None:
    old = script(tmp_path / "python3.9", f"echo {tmp_path}/python3.9; echo 3.9; echo /lib; echo /usr")
    with pytest.raises(LaunchError, match=r"is Python 3\.9; Triton needs 3\.11, 3\.12 or 3\.13"):
        choose_interpreter(str(old))


def test_a_missing_libpython_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"libpython3\.13\.so\.1\.0.* apt-get install libpython3\.13"):
        Interpreter(Path("/usr/bin/python3.13"), "3.13", tmp_path).check()


def test_an_environment_of_somebody_else_is_used_and_never_changed(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    assert ensure_server_env(tmp_path) == tmp_path
    with pytest.raises(LaunchError, match="not created by `retriton setup`: remove that folder"):
        create_server_env(tmp_path)
    with pytest.raises(LaunchError, match=f"retriton setup --server-env {tmp_path}"):
        TritonWheel(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["pyvenv.cfg"]


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_failed_installation_says_why_and_is_begun_again(tmp_path: Path) -> None:
    steps: list[str] = []
    for _ in range(2):
        with pytest.raises(LaunchError, match="No matching distribution found"):
            ensure_server_env(tmp_path / "server", on_step=steps.append)
    assert steps[:2] == steps[2:]
    assert "creating the server's environment" in steps[0]
    assert "numpy<2" in steps[1]
    assert "openvino" in steps[1]


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_pip_is_used_where_uv_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "uv", "echo no such index; exit 2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    steps: list[str] = []
    with pytest.raises(LaunchError, match="-m pip install .*failed"):
        create_server_env(tmp_path / "server", on_step=steps.append)
    assert [step for step in steps if "uv failed, pip is used instead" in step and "no such index" in step]


def test_missing_constraints_are_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="constraints in .* cannot be read"):
        create_server_env(tmp_path / "server", constraint=tmp_path / "none.txt")
