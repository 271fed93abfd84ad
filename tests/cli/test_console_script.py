"""The console script on a base install, and with the extra of each command alone."""

from __future__ import annotations

import pytest

from retriton.commands import COMMANDS
from tests.cli.installation import PROJECT, Installation

EXTRAS = sorted({command.extra for command in COMMANDS.values()})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("base") / "packages")


@pytest.fixture(scope="module", params=EXTRAS)
def extra(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Installation]:
    return request.param, Installation(tmp_path_factory.mktemp(request.param) / "packages", request.param)


def test_help_lists_every_command_with_its_extra(base: Installation) -> None:
    done = base.retriton("--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    listed = {words[0]: words[-1] for words in lines if words and words[-1].startswith("[")}
    assert {name: f"[{command.extra}]" for name, command in COMMANDS.items()}.items() <= listed.items()
    assert base.retriton().returncode == 2


def test_version(base: Installation) -> None:
    assert base.retriton("--version").stdout == f"retriton {PROJECT['version']}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_names_its_extra_on_a_base_install(base: Installation, name: str) -> None:
    done = base.retriton(name, "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: retriton {name} needs ")
    assert done.stderr.endswith(f": pip install 'retriton[{COMMANDS[name].extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_a_command_needs_no_other_extra_than_its_own(extra: tuple[str, Installation]) -> None:
    name, installation = extra
    for command in COMMANDS.values():
        if command.extra == name:
            done = installation.retriton(command.name, "--help")
            assert done.returncode == 0, done.stderr
            assert f"Usage: retriton {command.name}" in done.stdout


def test_an_unknown_command_is_refused_with_the_nearest_one(base: Installation) -> None:
    done = base.retriton("serch")
    assert (done.returncode, done.stderr) == (2, "error: there is no command 'serch'; did you mean 'search'?\n")
    assert "`retriton --help` lists the commands" in base.retriton("xyzzy").stderr


def test_help_imports_no_package(base: Installation) -> None:
    done = base.python(
        "from retriton.__main__ import overview",
        "overview()",
        "print({'numpy', 'grpc', 'typer', 'retriton_pipeline'} & set(sys.modules))",
    )
    assert done.stdout == "set()\n"
