"""The documentation: links, paths, options and the command reference agree with the tree."""

from __future__ import annotations

import ast
import importlib.util
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.retrieval import SearchOptions
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
README_LINES_MAX = 120
BUILD_OUTPUT = ("model_repository/encoder/1/manifest.json",)
# Idioms of other languages and puzzling phrases that earlier versions of these pages had.
BANNED = (
    "a moment in between",
    "are found out",
    "clients find what they know",
    "come and go",
    "comes in",
    "everybody",
    "goes on where it stopped",
    "is let in",
    "is well",
    "knows no",
    "lets it go",
    "must be said",
    "nobody",
    "stay what they are",
    "takes its work along",
    "the way of a",
    "under way",
    "what is gone",
    "what was said",
    "where a minute",
    "who leaves",
    "without a word",
)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
_PATH = re.compile(
    r"`((?:client|serving|export|pipeline|model_repository|bench|deploy|docs|tests)/[\w./-]*|[\w-]+\.toml)`"
)


def prose(file: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", file.read_text(encoding="utf-8"))


@cache
def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and GitHub both name them."""
    return {_slug(heading) for heading in _HEADING.findall(prose(file))}


def _slug(heading: str) -> str:
    text = unicodedata.normalize("NFKD", re.sub(r"[`*]", "", heading)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip())


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_links_and_anchors_resolve(file: Path) -> None:
    for match in _LINK.finditer(prose(file)):
        address = match[1] or match[2]
        if re.match(r"[a-z]+:", address):
            continue
        path, _, anchor = address.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), address
        assert not anchor or anchor in anchors(target), address


def test_pages_link_inside_the_site() -> None:
    for page in PAGES:
        for match in _LINK.finditer(prose(page)):
            assert not (match[1] or match[2]).startswith(("../", "/")), page.name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES_MAX


def test_the_site_has_every_page() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert sorted(_pages(settings["nav"])) == [page.name for page in PAGES]
    assert settings["theme"]["font"] is False  # nothing is loaded from other hosts


def _pages(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in _pages(part)]


def tree() -> list[str]:
    """The folders in the tree of the architecture; indentation nests them."""
    section = (DOCS / "architecture.md").read_text().partition("## The tree")[2]
    parents: list[str] = []
    folders = []
    for line in section.split("```")[1].splitlines()[1:]:
        depth = (len(line) - len(line.lstrip())) // 4
        parents[depth:] = [line.split()[0]]
        folders.append("".join(parents))
    return folders


def test_the_tree_names_the_folders_that_exist() -> None:
    assert len(tree()) > 20
    for path in tree():
        assert path.endswith("/"), path
        assert (ROOT / path).is_dir(), path
    packages = {file.parent.relative_to(ROOT).as_posix() + "/" for file in ROOT.glob("*/*/*/__init__.py")}
    missing = {path for path in packages if not path.startswith(("tests/", "bench/"))} - set(tree())
    assert not missing


def test_the_architecture_names_files_that_exist() -> None:
    text = (DOCS / "architecture.md").read_text()
    table = text.partition("## Where do I change")[2]
    assert len(re.findall(r"^\| (?!what|---)", table, re.MULTILINE)) >= 12
    for path in _PATH.findall(table):
        assert (ROOT / path).exists(), path
    for name, path in re.findall(r"`(\w+)` in `([\w/]+\.py)`", table):
        assert name in _assigned(ROOT / path), f"{name} in {path}"


def _assigned(file: Path) -> set[str]:
    """The names that a module defines."""
    names = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_named_paths_exist(file: Path) -> None:
    if file.name == "log.md":  # of its date
        pytest.skip("the log names files of its date")
    for path in _PATH.findall(prose(file)):
        assert path in BUILD_OUTPUT or (ROOT / path.replace("NAME", "tensorrt")).exists(), path


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_pages_are_in_plain_english(file: Path) -> None:
    if file.name == "log.md":
        pytest.skip("entries of the log are not rewritten")
    text = " ".join(prose(file).lower().split())
    assert not [phrase for phrase in BANNED if phrase in text]


def test_the_search_options_are_documented_with_their_defaults() -> None:
    section = (DOCS / "python.md").read_text().partition("### Search options")[2].partition("###")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section, re.MULTILINE))
    resolved = SearchOptions().resolved()
    defaults = {name: getattr(resolved, name) for name in SearchOptions.model_fields}
    assert {name: ast.literal_eval(value) for name, value in rows.items()} == defaults


def test_the_metrics_and_alerts_are_documented() -> None:
    text = (DOCS / "metrics.md").read_text()
    exported = re.findall(r"^# TYPE (\w+) \w+$", GatewayMetrics().page().decode(), re.MULTILINE)
    assert len(exported) > 5
    assert not [name for name in exported if not name.endswith("_created") and f"`{name}" not in text]
    rules = "".join(file.read_text() for file in (ROOT / "deploy/kubernetes/monitoring").glob("*-alerts.yaml"))
    assert set(re.findall(r"alert: (\w+)", rules)) == set(re.findall(r"^\| `(Retriton\w+)` \|", text, re.MULTILINE))


def test_the_command_reference_is_current() -> None:
    location = DOCS / "cli_reference.py"
    spec = importlib.util.spec_from_file_location("cli_reference", location)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "cli.md").read_text() == module.reference(), "run: python docs/cli_reference.py"
