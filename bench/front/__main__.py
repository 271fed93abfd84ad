"""`python -m bench.front`: what a text costs without its engine. Prints a table and one JSON line."""

from __future__ import annotations

import argparse
import json
import os

from bench.front.measurements import PASSAGES, QUERIES, QUERY_BATCHES, Cost, Front, null_server, results
from bench.workloads import REPORT
from retriton_serving.contract.variables import LANE_PROCESSES

_LOADS = {
    "64 connections, one query of 16 tokens": QUERIES,
    "8 connections, 32 queries": QUERY_BATCHES,
    "8 connections, 32 passages of 129 tokens": PASSAGES,
}


def main() -> None:
    """Measures every load on one server."""
    parser = argparse.ArgumentParser(prog="bench.front", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="duration of each load")
    parser.add_argument("--processes", help="processes of each lane; default: what its configuration says")
    options = parser.parse_args()
    if options.processes:
        os.environ[LANE_PROCESSES] = options.processes
    folder = REPORT / "front"
    folder.mkdir(parents=True, exist_ok=True)
    with null_server(folder) as (server, load):
        front = Front(server, load, options.seconds)
        costs = {name: front.cost(one) for name, one in _LOADS.items()}
    _print(costs)
    queries, _, passages = costs.values()
    print(json.dumps({name: round(value, 4) for name, value in results(queries, passages).items()}))


def _print(costs: dict[str, Cost]) -> None:
    print(f"{'load':42} {'texts/s':>9} {'CPU ms':>8} {'Triton':>8} {'lane':>8} {'encoder':>8}")
    for name, cost in costs.items():
        parts = (cost.cpu_ms, cost.triton_ms, cost.lane_ms, cost.encoder_ms)
        print(f"{name:42} {cost.texts_per_s:9.0f} {' '.join(f'{value:8.4f}' for value in parts)}")


if __name__ == "__main__":
    main()
