"""`python -m bench.replicas`: three servers behind one client, and what a caller notices when one is killed.

Each phase has the same load: concurrent callers of single queries, at a rate that two servers can take.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.served import Served, json_line, serving, values
from retriton_client import AsyncClient, RetritonError

_TEXT = "how often is the valve of the pump checked?"
_TIMEOUT_S = 20.0


@dataclass
class Phase:
    """Latencies of the answered calls in milliseconds, the errors of the others, and the CPU time of each server."""

    latencies_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float | int | list[float]]:
        """Percentiles, numbers, and the share of the CPU time of each server."""
        total = sum(self.cpu_s) or 1.0
        return {
            "calls": len(self.latencies_ms),
            "failed": len(self.errors),
            "p50_ms": round(median(self.latencies_ms), 1),
            "p99_ms": round(quantiles(self.latencies_ms, n=100)[98], 1),
            "shares": [round(seconds / total, 2) for seconds in self.cpu_s],
        }


def _cpu_s(server: Served) -> float:
    """Of the query lane; one that was restarted begins again."""
    return sum(values(server.by_role().get("embed_query", []), lambda p: sum(p.cpu_times()[:2])))


async def _phase(client: AsyncClient, servers: list[Served], rate: float, seconds: float, kill: bool) -> Phase:
    phase, tasks = Phase(), []
    before = [_cpu_s(server) for server in servers]
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(_call(client, phase)))
        if kill and number == int(rate * seconds) // 4:
            for process in servers[0].by_role()["triton"]:
                os.kill(process.pid, signal.SIGKILL)
    await asyncio.gather(*tasks)
    phase.cpu_s = [max(0.0, _cpu_s(server) - cpu) for server, cpu in zip(servers, before, strict=True)]
    return phase


async def _call(client: AsyncClient, phase: Phase) -> None:
    start = time.monotonic()
    try:
        await client.embed_queries([_TEXT])
    except RetritonError as error:
        phase.errors.append(str(error))
    else:
        phase.latencies_ms.append((time.monotonic() - start) * 1e3)


async def measure(servers: list[Served], rate: float, seconds: float) -> dict[str, object]:
    """The phases: before, with the kill, and after the killed server has returned."""
    async with AsyncClient(",".join(server.grpc_url for server in servers), timeout_s=_TIMEOUT_S) as client:
        await _phase(client, servers, rate, 3, kill=False)  # the first requests are slower
        before = await _phase(client, servers, rate, seconds, kill=False)
        killed = await _phase(client, servers, rate, seconds, kill=True)
        await asyncio.to_thread(servers[0].wait_ready)
        await asyncio.sleep(10)  # at most one pause between two probes of the client
        after = await _phase(client, servers, rate, seconds, kill=False)
    return {"before": before.summary(), "killed": killed.summary(), "after": after.summary()}


def main() -> None:
    """Starts the servers, measures and prints."""
    parser = argparse.ArgumentParser(prog="bench.replicas", description=__doc__)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=150.0, help="calls per second")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each phase")
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(RETRITON_QUERY_CACHE_MB="0")) for _ in range(options.servers)]
        found = asyncio.run(measure(servers, options.rate, options.seconds))
    print("| phase | calls | failed | p50 / p99 ms | shares of the servers |\n| --- | ---: | ---: | --- | --- |")
    for name, phase in found.items():
        assert isinstance(phase, dict)
        shares = " / ".join(f"{share:.2f}" for share in phase["shares"])
        print(f"| {name} | {phase['calls']} | {phase['failed']} | {phase['p50_ms']} / {phase['p99_ms']} | {shares} |")
    print(json_line(found))


if __name__ == "__main__":
    main()
