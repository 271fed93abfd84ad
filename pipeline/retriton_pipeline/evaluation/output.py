"""Reports of evaluations: a table, the measures of every query, and a plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.evaluation.measures import MEASURES
from retriton_pipeline.evaluation.report import EvalReport


def table(reports: Sequence[EvalReport]) -> str:
    """One line for every dataset and configuration; the first measure with its 95 % confidence interval."""
    first, *others = MEASURES
    rows = [["dataset", "search", "documents", "queries", first, "95 %", *others, "ms/query"]]
    for report in reports:
        best = report.scores[first]
        rows.append(
            [
                f"{report.dataset} ({report.split})",
                report.configuration,
                str(report.documents),
                str(report.queries),
                f"{best.mean:.4f}",
                f"{best.low:.3f}-{best.high:.3f}",
                *(f"{report.scores[name].mean:.4f}" for name in others),
                f"{report.query_ms:.1f}",
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write_per_query(reports: Sequence[EvalReport], file: Path) -> None:
    """JSON lines: dataset, configuration, query, its measures, and the first ten documents found."""
    with _written(file) as stream:
        for report in reports:
            for query, values in report.per_query.items():
                row = {"dataset": report.dataset, "configuration": report.configuration, "query": query}
                stream.write(json.dumps({**row, **values, "found": report.run[query]}, ensure_ascii=False) + "\n")


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    try:
        with file.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise PipelineError(f"{file} cannot be written: {error.strerror}") from error


def draw(reports: Sequence[EvalReport], file: Path) -> None:
    """nDCG@10 of every configuration, grouped by dataset, with confidence intervals."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    datasets = list(dict.fromkeys(report.dataset for report in reports))
    searches = list(dict.fromkeys(report.configuration for report in reports))
    figure = Figure(figsize=(4 + 1.6 * len(datasets), 4), layout="constrained")
    axes = figure.subplots()
    colours = colormaps["tab20"].colors  # type: ignore[attr-defined]
    width = 0.8 / len(searches)
    for number, search in enumerate(searches):
        mine = [report for report in reports if report.configuration == search]
        scores = [report.scores["ndcg@10"] for report in mine]
        axes.bar(
            [datasets.index(report.dataset) + number * width for report in mine],
            [score.mean for score in scores],
            width,
            yerr=[[score.mean - score.low for score in scores], [score.high - score.mean for score in scores]],
            capsize=2,
            color=colours[number % len(colours)],
            label=search,
        )
    axes.set_xticks([n + 0.4 - width / 2 for n in range(len(datasets))], datasets, rotation=20, ha="right")
    axes.set_ylabel("nDCG@10, 95 % confidence")
    figure.legend(fontsize="small", loc="outside right upper")
    try:
        figure.savefig(file)
    except (OSError, ValueError) as error:
        raise PipelineError(f"{file} cannot be drawn: {error}") from error
