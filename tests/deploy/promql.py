"""What PromQL expressions ask for, and what a page of metrics offers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import promql_parser

# What Prometheus and its operator add to everything they scrape.
TARGET_LABELS = {"namespace", "pod", "service", "job", "instance", "container", "endpoint"}
_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Asked:
    """One series selector: the metric, and the values that it wants labels to have (regular expressions)."""

    metric: str
    wanted: dict[str, str] = field(default_factory=dict)


def asked(expression: str) -> list[Asked]:
    """All series of an expression. Raises `ValueError` where it is no PromQL."""
    found: list[Asked] = []

    def visit(node: Any) -> bool:
        selector = getattr(node, "vector_selector", node)
        if isinstance(selector, promql_parser.VectorSelector):
            matchers = {m.name: m.value for m in selector.matchers.matchers}
            found.append(Asked(selector.name, matchers))
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def grouped_by(expression: str) -> set[str]:
    """The labels that aggregations of an expression keep."""
    labels: set[str] = set()

    def visit(node: Any) -> bool:
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql_parser.AggregateExpr) and modifier:
            labels.update(modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return labels


def offered(page: str) -> dict[str, dict[str, set[str]]]:
    """By metric, its labels and their values; metrics without a series yet are there by their type."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, kind in _TYPE.findall(page):
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix]
    for name, labels in _SAMPLE.findall(page):
        series = found[name]
        for label, value in _LABEL.findall(labels):
            series[label].add(value)
    return {name: dict(labels) for name, labels in found.items()}
