"""Options of commands: help, and their one declaration."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from retriton.commands import COMMANDS
from retriton_pipeline.cli.main import command_app, run
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.evaluation import BASELINE, Configuration
from retriton_pipeline.retrieval import SearchOptions


def parameters(name: str) -> dict[str, Any]:
    """The options and arguments of a command, by name."""
    return {parameter.name: parameter for parameter in typer.main.get_command(command_app(COMMANDS[name])).params}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_the_summary_of_the_table(name: str) -> None:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(command_app(COMMANDS[name]), ["--help"])
    assert done.exit_code == 0
    assert COMMANDS[name].summary.rstrip(".") in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", ["search", "ask"])
def test_search_options_are_the_fields_of_their_declaration(name: str) -> None:
    found = parameters(name)
    for field_name, field in SearchOptions.model_fields.items():
        option = found[field_name]
        assert f"--{field_name.replace('_', '-')}" in option.opts
        assert (option.help, option.default) == (field.description, field.default)
    assert "-k" in found["top_k"].opts
    assert found["mode"].envvar == "RETRITON_MODE"


def test_evaluation_compares_values_of_the_same_options() -> None:
    found = parameters("eval")
    for name in ("mode", "fusion", "dense_weight", "rerank", "hops"):
        assert found[name].help.startswith(SearchOptions.model_fields[name].description)


@pytest.mark.parametrize(
    "arguments",
    [("-k", "0"), ("-k", "1025"), ("--mode", "best"), ("--diversity", "2"), ("--hops", "3"), ("--candidates", "0")],
)
def test_values_out_of_bounds_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(COMMANDS["search"], ["x", *arguments]) == 2


def test_connections_are_the_same_options_everywhere() -> None:
    for name in ("ingest", "ask", "gateway"):
        for option in ("url", "milvus", "milvus_token", "collection"):
            mine, theirs = parameters(name)[option], parameters("search")[option]
            assert (mine.opts, mine.envvar, mine.help, mine.default) == (
                theirs.opts, theirs.envvar, theirs.help, theirs.default
            )  # fmt: skip


def test_configurations_are_named_by_what_differs() -> None:
    options = SearchOptions(mode="hybrid", hops=2, rerank=True, fusion="rrf", dense_weight=0.4)
    assert Configuration(options, history=True).name == "hybrid + rrf + weight 0.4 + history + rerank + 2 hops"
    assert Configuration(BASELINE).name == "dense"
    with pytest.raises(InvalidOption):
        SearchOptions.of(mode="best")
