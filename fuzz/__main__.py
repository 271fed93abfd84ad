"""`make fuzz`: runs all targets, or those named; prints a table, and saves findings with commands that replay them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from fuzz.findings import FOLDER
from fuzz.guided import has_atheris
from fuzz.measuring import measured
from fuzz.searching import Result, run_search
from fuzz.targets import NAMES, target_of
from fuzz.worker import SEARCHES

_SHARES = {"attacks": 0.4, "growth": 0.3, "guided": 0.3}


def main() -> None:
    """Fuzzes within a time limit; the exit code is 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default: all of {' '.join(NAMES)}")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all targets together")
    parser.add_argument("--search", action="append", choices=SEARCHES, help="default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices; 0 chooses one")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where findings are saved")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one saved input and print what is wrong")
    options = parser.parse_args()
    if options.replay:
        sys.exit(replay(options.replay))
    if unknown := set(options.targets) - set(NAMES):
        parser.error(f"there are no targets {' '.join(sorted(unknown))}, only {' '.join(NAMES)}")
    seed = options.seed or int.from_bytes(os.urandom(3))
    print(f"seed {seed}; {'coverage by atheris' if has_atheris() else 'without coverage: atheris is not installed'}")
    results = fuzz(options.targets or NAMES, options.search or list(SEARCHES), options.seconds, seed, options.folder)
    found = [finding for result in results for finding in result.findings]
    print(json.dumps({"seed": seed, "executions": sum(r.executions for r in results), "findings": len(found)}))
    sys.exit(bool(found))


def fuzz(names: list[str], searches: list[str], seconds: float, seed: int, folder: Path) -> list[Result]:
    """Runs every search of every target; what one leaves of its time is shared by those that follow."""
    end, results = time.monotonic() + seconds, []
    left = [(name, search) for name in names for search in SEARCHES if search in searches]
    print(f"{'target':14} {'search':8} {'seconds':>8} {'executions':>10} {'coverage':>8} {'findings':>8}")
    while left:
        (name, search), weight = left[0], sum(_SHARES[search] for _, search in left)
        share = max(2.0, (end - time.monotonic()) * _SHARES[search] / weight)
        result = run_search(name, search, share, seed, folder)
        coverage = str(result.coverage or "-")
        print(
            f"{name:14} {search:8} {result.seconds:8.1f} {result.executions:10} {coverage:>8} {len(result.findings):8}",
            *(f"    {line}" for line in result.findings),
            sep="\n",
            flush=True,
        )
        results.append(result)
        left.pop(0)
    return results


def replay(file: Path) -> int:
    """Runs the input ``file`` of the target whose folder it is in; returns 1 if it is still a finding."""
    target = target_of(file.resolve().parent.name)
    raw, about = file.read_bytes(), file.with_suffix(".json")
    size = json.loads(about.read_text())["size_bytes"] if about.exists() else None
    with target.service():
        for seed in list(target.seeds().values())[:1]:
            target.run(seed)  # imports
        found = measured(target, raw, size=size)
    took = f"{found.seconds:.2f} s of CPU time, {found.mib:.0f} MiB"
    print(f"{target.name}: {len(raw)} bytes, {took}, in {found.place or '-'}")
    if found.problem:
        print(f"{found.problem.kind} at {found.problem.place or 'an unknown place'}: {found.problem.detail}")
    return int(found.problem is not None)


if __name__ == "__main__":
    main()
