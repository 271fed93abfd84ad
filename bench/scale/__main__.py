"""`python -m bench.scale`: tables of what a corpus needs, and one JSON line.

python -m bench.scale --passages 1e9 --queries-per-s 10000 --set gpu_passage_tokens_per_s=250000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.scale.assumptions import Assumptions
from bench.scale.indexes import INDEXES
from bench.scale.plan import embedding, searching, storage

PASSAGES = (1e8, 1e9, 1e10)
RATES = (100.0, 10_000.0, 100_000.0)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def embedding_table(a: Assumptions, passages: Sequence[float], gpus: int) -> str:
    """GPUs, hours and money to embed once."""
    head = ["passages", "GPU hours", f"hours with {gpus} GPUs", "core hours", "Gbit/s to Milvus", "dollars"]
    rows = []
    for number in passages:
        e = embedding(a, number, gpus)
        values = (e.gpu_hours, e.hours, e.core_hours, e.gigabits_per_s, e.dollars)
        rows.append([f"{number:.0e}", *map(_number, values)])
    return _table(head, rows)


def storage_table(a: Assumptions, passages: Sequence[float]) -> str:
    """Nodes (GPUs for CAGRA) and gibibytes of one replica."""
    head = ["index", *(f"{number:.0e}: nodes, GiB of memory, of disk" for number in passages)]
    rows = []
    for index in INDEXES:
        found = [storage(a, index, number) for number in passages]
        rows.append([index.name, *(f"{s.nodes:,}, {s.memory_gib:,.0f}, {s.disk_gib:,.0f}" for s in found)])
    return _table(head, rows)


def searching_table(a: Assumptions, passages: Sequence[float], rates: Sequence[float]) -> str:
    """Replicas, nodes of all of them, and dollars for a million queries."""
    head = ["passages", "index", *(f"{rate:,.0f} queries/s: replicas, nodes, dollars a million" for rate in rates)]
    rows = []
    for number in passages:
        for index in INDEXES:
            found = [searching(a, index, number, rate) for rate in rates]
            cells = [f"{s.replicas:,}, {s.nodes:,}, {s.dollars_per_million:,.2f}" for s in found]
            rows.append([f"{number:.0e}", index.name, *cells])
    return _table(head, rows)


def front_table(a: Assumptions, rates: Sequence[float]) -> str:
    """What is in front of Milvus."""
    head = ["queries/s", "GPUs for queries", "cores of servers", "cores of gateways"]
    found = [(rate, searching(a, INDEXES[0], 1e6, rate)) for rate in rates]
    rows = [[f"{rate:,.0f}", f"{s.encoder_gpus:,}", f"{s.front_cores:,}", f"{s.gateway_cores:,}"] for rate, s in found]
    return _table(head, rows)


def tables(a: Assumptions, passages: Sequence[float], rates: Sequence[float], gpus: int) -> str:
    """All tables."""
    parts = embedding_table(a, passages, gpus), storage_table(a, passages), searching_table(a, passages, rates)
    return "\n\n".join([*parts, front_table(a, rates)])


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        prog="bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--passages", type=float, nargs="+", default=PASSAGES)
    parser.add_argument("--queries-per-s", type=float, nargs="+", default=RATES)
    parser.add_argument("--gpus", type=int, default=16, help="that embed")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="other assumptions")
    options = parser.parse_args()
    try:
        a = Assumptions().changed(options.set)
    except ValueError as error:
        parser.error(str(error))
    if min(*options.passages, *options.queries_per_s, options.gpus) <= 0:
        parser.error("all numbers must be above 0")
    print(tables(a, options.passages, options.queries_per_s, options.gpus))
    found = {
        f"{number:.0e}": {
            "embedding": asdict(embedding(a, number, options.gpus)),
            "storage": {index.name: asdict(storage(a, index, number)) for index in INDEXES},
            "searching": {
                index.name: {f"{rate:g}": asdict(searching(a, index, number, rate)) for rate in options.queries_per_s}
                for index in INDEXES
            },
        }
        for number in options.passages
    }
    print(json.dumps({"assumptions": asdict(a), "plans": found}, separators=(",", ":")))


if __name__ == "__main__":
    main()
