"""The commands of `retriton`: one table, which needs nothing but the standard library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Command:
    """A command of `retriton`.

    Attributes:
        name: after ``retriton``.
        summary: the first line of its help.
        module: where its function is; imported when the command is run.
        extra: of Retriton, which installs what the command needs.
        function: its name in ``module``; empty for the name of the command.
    """

    name: str
    summary: str
    module: str
    extra: str
    function: str = ""

    def load(self) -> Callable[..., Any]:
        """The function, whose parameters are the command's options. Imports its module."""
        function: Callable[..., Any] = getattr(import_module(self.module), self.function or self.name)
        return function


_CLI = "retriton_pipeline.cli"
GROUPS: dict[str, tuple[Command, ...]] = {
    "Start here": (
        Command("demo", "Serve an encoder, ingest sample documents, and ask a question.", f"{_CLI}.demo", "all"),
    ),
    "Serve": (
        Command("serve", "Serve the model repository with Triton, and HTTP in front of it.", f"{_CLI}.serve", "serve"),
        Command("gateway", "Serve HTTP in front of Triton, Milvus and an LLM.", f"{_CLI}.gateway", "gateway"),
        Command("key", "Create an API key for the gateway.", f"{_CLI}.gateway", "gateway"),
        Command(
            "setup", "Create the environment of the Triton server, or bring it up to date.", f"{_CLI}.setup", "serve"
        ),
        Command(
            "init", "Write a model repository to edit: Triton's configuration of each model.", f"{_CLI}.init", "serve"
        ),
        Command("export", "Export an encoder or a reranker into the model repository.", f"{_CLI}.export", "export"),
    ),
    "Tune": (Command("tune", "Tune an encoder or a reranker on your documents.", f"{_CLI}.tune", "tune"),),
    "Search": (
        Command(
            "ingest", "Read documents, split them into chunks, embed and store them.", f"{_CLI}.ingest", "documents"
        ),
        Command("search", "Print the best passages for a query, best first.", f"{_CLI}.search", "rag"),
        Command("ask", "Answer a question from the documents.", f"{_CLI}.ask", "rag"),
        Command(
            "switch", "Embed a collection again with another encoder, while it is searched.", f"{_CLI}.switch", "rag"
        ),
        Command("mcp", "Offer search, answers and documents of a gateway to MCP hosts.", f"{_CLI}.mcp", "mcp"),
    ),
    "Evaluate": (
        Command("eval", "Score retrieval on datasets in BEIR's layout.", f"{_CLI}.evaluate", "eval", "evaluate"),
        Command(
            "tune-search",
            "Learn the weights of a collection's searches from judged queries.",
            f"{_CLI}.tune_search",
            "eval",
            "tune_search",
        ),
        Command("techqa", "Convert TechQA's original files for `retriton eval`.", f"{_CLI}.techqa", "eval"),
    ),
}
COMMANDS = {command.name: command for group in GROUPS.values() for command in group}
