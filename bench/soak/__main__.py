"""`make soak`: mixes all outcomes and kills processes; prints tables and one JSON line.

The exit code is 1 if a measure is not flat, a vector is wrong, or the service did not recover.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import random
import sys
import time
from typing import Any

import httpx

from bench.served import Served, json_line, serving
from bench.soak.kills import VICTIMS, Kill, kill
from bench.soak.outcomes import Requests
from bench.soak.sampling import QUARTERS, Sampler, Samples
from retriton_client import RetritonError

_CALLERS = 6
_PAUSE_S = 0.05


async def soak(
    served: Served, seconds: float, kills: int
) -> tuple[Samples, collections.Counter[str], list[Kill], Requests]:
    """Sends requests for ``seconds``, and meanwhile kills a process ``kills`` times, at equal intervals."""
    requests, outcomes = Requests(served.http_url, served.grpc_url), collections.Counter[str]()
    await requests.prepare()
    sampler, end = Sampler(served), time.monotonic() + seconds
    sampler.start()
    callers = [asyncio.create_task(_call(requests, outcomes, end, random.Random(n))) for n in range(_CALLERS)]
    killed = await _kill_some(served, seconds, kills)
    await asyncio.gather(*callers)
    samples = await asyncio.to_thread(sampler.stop)
    await requests.close()
    return samples, outcomes, killed, requests


async def _kill_some(served: Served, seconds: float, kills: int) -> list[Kill]:
    killed, start = [], time.monotonic()
    for number in range(kills):
        due_s = seconds * (number + 1) / (kills + 1)
        await asyncio.sleep(max(0.0, due_s - (time.monotonic() - start)))
        killed.append(await kill(served, VICTIMS[number % len(VICTIMS)]))
    return killed


async def _call(requests: Requests, outcomes: collections.Counter[str], end: float, draw: random.Random) -> None:
    kinds, shares = zip(*requests.mix(), strict=True)
    while time.monotonic() < end:
        (kind,) = draw.choices(kinds, shares)
        try:
            outcomes[await kind()] += 1
        except (RetritonError, httpx.HTTPError, OSError) as error:
            outcomes[f"{kind.__name__.replace('_', ' ')}: {type(error).__name__}"] += 1
        await asyncio.sleep(_PAUSE_S)


def report(
    samples: Samples, outcomes: collections.Counter[str], killed: list[Kill], requests: Requests
) -> dict[str, Any]:
    """Prints the tables, and returns the verdict."""
    columns, judged = [samples.at(share) for share in QUARTERS], samples.judged()
    print(f"| measure | start | {' | '.join(f'{share:.0%}' for share in QUARTERS[1:])} | growth | bound | flat |")
    print(f"|{' --- |' * (len(QUARTERS) + 4)}")
    for name in sorted(samples.by_measure):
        verdict = judged.get(name)
        cells = [f"{column[name]:.1f}" for column in columns]
        cells += (
            [f"{verdict.growth:+.1f}", f"{verdict.bound:.1f}", "yes" if verdict.is_flat else "NO"]
            if verdict
            else ["", "", ""]
        )
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| outcome | requests |\n| --- | ---: |")
    for outcome, count in sorted(outcomes.items()):
        print(f"| {outcome} | {count} |")
    print("\n| killed | seconds until it served again |\n| --- | ---: |")
    for one in killed:
        print(f"| {one.role} | {'never' if one.recovery_s is None else one.recovery_s} |")
    print(f"\n{requests.compared} vectors compared, {requests.wrong} wrong")
    return {
        "not_flat": [name for name, verdict in judged.items() if not verdict.is_flat],
        "wrong_vectors": requests.wrong,
        "vectors": requests.compared,
        "recovery_s": [[one.role, one.recovery_s] for one in killed],
        "outcomes": outcomes,
    }


def main() -> None:
    """Runs the soak test."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1200.0)
    parser.add_argument("--kills", type=int, default=len(VICTIMS), help=f"in the order {', '.join(VICTIMS)}")
    options = parser.parse_args()
    with serving() as served:
        found = report(*asyncio.run(soak(served, options.seconds, options.kills)))
    print(json_line(found))
    failed = found["not_flat"] or found["wrong_vectors"] or not found["vectors"]
    sys.exit(bool(failed or any(recovery is None for _, recovery in found["recovery_s"])))


if __name__ == "__main__":
    main()
