"""Measures searches over HTTP: ``python -m bench.retrieval``. Prints a table and one JSON line."""

from __future__ import annotations

import argparse

from bench.report import print_results
from bench.retrieval.measurements import MODES, measure


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="bench.retrieval", description=__doc__)
    parser.add_argument("--milvus", default="", metavar="URI", help="default: a file of Milvus Lite")
    parser.add_argument("--mode", action="append", choices=MODES, help="default: all")
    parser.add_argument("--seconds", type=float, default=8.0, help="duration of each measurement")
    parser.add_argument("--brief", action="store_true", help="no curve, overload and ingestion")
    options = parser.parse_args()
    print_results(measure(options.milvus, options.mode or list(MODES), options.seconds, options.brief))


if __name__ == "__main__":
    main()
