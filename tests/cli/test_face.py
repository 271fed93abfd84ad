"""`import retriton`: every name, and what a missing extra says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import retriton
from retriton.extras import MissingExtra, requires
from tests.cli.installation import PROJECT, Installation


@pytest.mark.parametrize("name", retriton.__all__)
def test_names_are_imported_on_first_use(name: str) -> None:
    assert name in dir(retriton)
    assert getattr(retriton, name) is getattr(retriton, name)


def test_names_are_sorted_and_the_version_is_that_of_the_project() -> None:
    assert sorted(retriton.__all__) == sorted(set(retriton.__all__))
    assert retriton.__version__ == PROJECT["version"]
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = retriton.Nothing  # type: ignore[attr-defined]


def test_the_client_needs_no_extra_and_the_library_names_its_own(tmp_path: Path) -> None:
    base = Installation(tmp_path / "base")
    done = base.python("from retriton import AsyncClient, Client, Retry", "print(Client.__module__)")
    assert done.stdout == "retriton_client._sync\n", done.stderr
    for name, extra in {"Rag": "rag", "SearchOptions": "rag", "IngestOptions": "documents"}.items():
        done = base.python(f"from retriton import {name}")
        assert re.search(rf"MissingExtra: retriton\.{name} needs .*: pip install 'retriton\[{extra}\]'$", done.stderr)


def test_the_library_searches_without_the_parsers_and_ingestion_names_their_extra(tmp_path: Path) -> None:
    done = Installation(tmp_path / "rag", "rag").python(
        "from retriton import Rag",
        "with Rag('127.0.0.1:9', milvus='new.db') as rag:",
        "    rag.ingest(['.'])",
    )
    assert done.stderr.endswith("pip install 'retriton[documents]'\n"), done.stderr
    assert "MissingExtra: Rag.ingest needs" in done.stderr


def test_an_error_inside_an_installed_package_is_not_translated() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"retriton\.no_such_module"), requires("rag", "it"):
        import retriton.no_such_module  # type: ignore[import-not-found]  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name"), requires("rag", "it"):
        from retriton.commands import nothing  # type: ignore[attr-defined]  # noqa: F401
    with pytest.raises(MissingExtra, match=r"it needs the package 'no_such_package': pip install 'retriton\[rag\]'"):
        with requires("rag", "it"):
            import no_such_package  # type: ignore[import-not-found]  # noqa: F401
