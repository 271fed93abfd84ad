"""Options of commands: help, and their one declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from retriton.commands import COMMANDS
from retriton_pipeline import rag
from retriton_pipeline.cli.backend_options import DEFAULT_MILVUS
from retriton_pipeline.cli.gateway_options import GatewayOptions
from retriton_pipeline.cli.main import command_app, run
from retriton_pipeline.cli.option_groups import as_environ, expand, of_dataclass
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.evaluation import BASELINE, Configuration
from retriton_pipeline.gateway import Listen, Settings
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
    assert DEFAULT_MILVUS == rag.DEFAULT_MILVUS
    for name in ("ingest", "ask", "gateway", "serve"):
        for option in ("url", "milvus", "milvus_token", "collection"):
            if (name, option) == ("serve", "url"):  # its own
                continue
            mine, theirs = parameters(name)[option], parameters("search")[option]
            assert (mine.opts, mine.envvar, mine.help, mine.default) == (
                theirs.opts, theirs.envvar, theirs.help, theirs.default
            )  # fmt: skip


def test_serve_has_the_options_of_its_gateway_and_each_is_a_variable() -> None:
    found, served = parameters("gateway"), parameters("serve")
    for name, option in found.items():
        if name in ("url", "host", "port", "grace", "help"):  # those of `serve` itself
            continue
        mine = served[name]
        assert (mine.opts, mine.envvar, mine.default) == (option.opts, option.envvar, option.default)
    assert all(option.envvar for option in found.values())
    assert len({option.envvar for option in found.values()}) == len(found)


def test_the_gateway_has_the_defaults_of_its_settings() -> None:
    options, settings = GatewayOptions(), Settings("", "")
    same = {"timeout": "timeout_s", "poll_after": "poll_after_s", "input_type": "input_type", "truncate": "truncate"}
    same |= {"token_ids": "token_ids", "prompt_tokens": "prompt_tokens"}
    assert {name: getattr(options, name) for name in same} == {
        name: getattr(settings, setting) for name, setting in same.items()
    }
    assert (options.requests, options.keep_alive) == (settings.bounds.requests, Listen.keep_alive_s)


@pytest.mark.parametrize(
    "given",
    [
        GatewayOptions(),
        GatewayOptions(
            api_keys=Path("keys"),
            alias=["a", "b"],
            origin=["https://app.example"],
            input_type="query",
            truncate="END",
            token_ids=True,
            timeout=2.5,
            requests=7,
        ),
    ],
)
def test_options_pass_through_variables(given: GatewayOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    group, found = of_dataclass(GatewayOptions), []

    @expand(options=group)
    def command(options: GatewayOptions) -> None:
        found.append(options)

    app = typer.Typer()
    app.command()(command)
    monkeypatch.setenv("RETRITON_GATEWAY_TIMEOUT", "9")  # what was given counts, also where it is the default
    assert CliRunner(env=as_environ(group, given)).invoke(app, []).exit_code == 0
    (passed,) = found
    assert {name: value or None for name, value in vars(passed).items()} == {
        name: value or None for name, value in vars(given).items()
    }


def test_configurations_are_named_by_what_differs() -> None:
    options = SearchOptions(mode="hybrid", hops=2, rerank=True, fusion="rrf", dense_weight=0.4)
    assert Configuration(options, history=True).name == "hybrid + rrf + weight 0.4 + history + rerank + 2 hops"
    assert Configuration(BASELINE).name == "dense"
    with pytest.raises(InvalidOption):
        SearchOptions.of(mode="best")
