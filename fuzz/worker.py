"""One search in a process of its own: `python -m fuzz.worker TARGET SEARCH SECONDS SEED FOLDER`.

A parser that crashes ends only this process.
"""

from __future__ import annotations

import faulthandler
import json
import random
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from fuzz.findings import Findings
from fuzz.growth import search_growth
from fuzz.guided import instrumented, search_guided
from fuzz.measuring import measured
from fuzz.target import Target
from fuzz.targets import target_of

_ATTACK_SLACK = 4.0  # attacks are large for what they cost to send, but each is one file
SEARCHES = ("attacks", "growth", "guided")


def search_attacks(target: Target, findings: Findings, seconds: float, draw: random.Random) -> int:
    """Runs every attack that did not end an earlier process; ``seconds`` and ``draw`` do not matter."""
    executions = 0
    for name, build in target.attacks().items():
        if name in findings.attempted():
            continue
        raw = build()
        findings.attempt(name, raw)
        executions += 1
        if problem := measured(target, raw, _ATTACK_SLACK, len(raw)).problem:
            findings.add(raw, problem, f"attack: {name}", len(raw))
    return executions


def main() -> None:
    """Runs one search; prints its executions as a JSON line, if the process reaches its end."""
    faulthandler.register(signal.SIGUSR1)  # the parent asks where a process hangs
    faulthandler.enable()
    name, search, seconds, seed, folder = sys.argv[1:6]
    with instrumented() if search == "guided" else nullcontext():
        target = target_of(name)
    findings, draw = Findings(name, Path(folder)), random.Random(int(seed))
    searches = {"attacks": search_attacks, "growth": search_growth, "guided": search_guided}
    with target.service():
        for seed_file in target.seeds().values():
            findings.current.write_bytes(seed_file)
            measured(target, seed_file)  # imports what is imported when it is first needed
        executions = searches[search](target, findings, float(seconds), draw)
    print(json.dumps({"executions": executions}), flush=True)


if __name__ == "__main__":
    main()
