"""`make bench-peers`: measures Retriton and all peers in turn over several rounds.

Prints a table and one JSON line with the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys

from bench.peers.catalogue import ABSENT, PEERS
from bench.peers.comparison import Comparison
from bench.peers.report import results, table
from bench.workloads import REPORT
from retriton_export import Checkpoint

FOLDER = REPORT / "peers"


def main() -> None:
    """Runs the rounds."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="duration of each measurement")
    parser.add_argument("--only", nargs="+", default=[""], help="peers whose names begin so")
    options = parser.parse_args()
    os.environ["RETRITON_QUERY_CACHE_MB"] = "0"  # texts are repeated
    checkpoint = (FOLDER / "checkpoint").absolute()  # a copy, because peers write graphs into it
    shutil.copytree(Checkpoint.read().folder, checkpoint, dirs_exist_ok=True)
    chosen = [peer for peer in PEERS if peer.name.startswith(tuple(options.only))]
    comparison = Comparison(chosen, checkpoint, FOLDER.absolute(), options.seconds)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        comparison.round()
    found = results(comparison.rounds, comparison.facts, comparison.skipped | ABSENT)
    (FOLDER / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
