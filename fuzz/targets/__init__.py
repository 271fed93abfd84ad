"""All targets. A target's module is imported when it is first needed."""

from __future__ import annotations

import importlib

from fuzz.target import Target

_MODULES = {
    "documents": (
        "txt", "md", "mdx", "html", "pdf", "docx", "pptx", "xlsx", "csv", "tsv", "eml", "odt", "epub", "rtf", "json",
        "jsonl", "log", "rst", "adoc", "org", "tex", "xml", "doc", "ppt", "xls", "ods", "odp", "msg", "srt", "vtt", "ass",
        "ipynb", "yaml", "toml", "properties", "py", "ics", "mht",
    ),
    "texts": ("encoding", "chunking"),
    "wire": ("errors", "parameters", "manifests"),
    "filters": ("filters",),
    "prompts": ("prompts",),
    "http": ("http",),
    "grpc": ("grpc",),
}  # fmt: skip
NAMES = [name for names in _MODULES.values() for name in names]


def target_of(name: str) -> Target:
    """The target with that name.

    Raises:
        KeyError: there is none.
    """
    module = next((module for module, names in _MODULES.items() if name in names), "")
    if not module:
        raise KeyError(f"there is no target {name}, only {' '.join(NAMES)}")
    target: Target = importlib.import_module(f"fuzz.targets.{module}").TARGETS[name]
    return target
