"""Writes the report: tables in Markdown, one JSON document, and plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

Rows = list[dict[str, Any]]
_PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


def write(folder: Path, results: dict[str, float], curves: dict[str, Rows]) -> None:
    """Writes ``results.json``, ``report.md`` and the plots into ``folder``.

    Args:
        folder: target folder.
        results: values by name.
        curves: rows of each curve, by name.
    """
    (folder / "results.json").write_text(json.dumps({"results": results, **curves}, indent=2) + "\n")
    tables = [_table([{"measure": name, "value": value} for name, value in results.items()])]
    tables += [
        f"## {name.replace('_', ' ')}\n\n{_table(rows)}" for name, rows in curves.items() if name != "mixed_load"
    ]
    pictures = "\n".join(f"![{name}]({name}.png)" for name in curves)
    (folder / "report.md").write_text("# Load tests\n\n" + "\n\n".join(tables) + f"\n\n{pictures}\n")
    for name, rows in curves.items():
        figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
        _DRAW[name](axes, rows)
        axes.grid(alpha=0.3)
        figure.savefig(folder / f"{name}.png", dpi=120)
        pyplot.close(figure)


def print_results(results: dict[str, float]) -> None:
    """Prints a table and one JSON line."""
    for name, value in results.items():
        print(f"{name:44} {value:12.3f}")
    print(json.dumps({name: round(value, 4) for name, value in results.items()}))


def _table(rows: Rows) -> str:
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join(["---:"] * len(names))]
    lines += [
        " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row.values()) for row in rows
    ]
    return "\n".join(f"| {line} |" for line in lines)


def _latency_against_load(axes: Axes, rows: Rows) -> None:
    for name in _PERCENTILES:
        axes.plot([row["texts_per_s"] for row in rows], [row[name] for row in rows], marker="o", label=name[:3])
    axes.set(title="Single queries at random times", xlabel="queries answered per second", ylabel="milliseconds")
    axes.set_yscale("log")
    axes.legend()


def _throughput_against_connections(axes: Axes, rows: Rows) -> None:
    connections = [row["connections"] for row in rows]
    axes.plot(connections, [row["texts_per_s"] for row in rows], marker="o", color="black")
    axes.set(title="Single queries from callers that wait", xlabel="connections", ylabel="queries per second")
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)


def _mixed_load(axes: Axes, rows: Rows) -> None:
    answered = [row for row in rows if "ms" in row]
    axes.scatter([row["sent_s"] for row in answered], [row["ms"] for row in answered], s=6)
    axes.set(title="Queries while bulk comes and goes", xlabel="seconds", ylabel="milliseconds of a query")
    axes.set_ylim(bottom=0)


_DRAW = {
    "latency_against_load": _latency_against_load,
    "throughput_against_connections": _throughput_against_connections,
    "mixed_load": _mixed_load,
}
