"""Open-loop load: requests leave on schedule, whether earlier ones were answered or not, so that queueing shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from retriton_client import AsyncClient, Limits, Overloaded, RetritonError, Retry


@dataclass
class Outcomes:
    """Latencies in seconds by outcome, the texts that were answered, and how long it took."""

    answered_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    texts: int = 0
    seconds: float = 0.0


async def send(url: str, passages: Sequence[str], texts: int, requests_per_s: float, seconds: float) -> Outcomes:
    """Sends requests of ``texts`` passages at a constant rate for ``seconds``; nothing is retried."""
    outcomes = Outcomes()
    limits = Limits(texts_per_request=texts, requests_in_flight=100_000)
    async with AsyncClient(url, timeout_s=30.0, limits=limits, retry=Retry(attempts_max=1)) as client:
        start = time.monotonic()
        sending = []
        for number in range(int(requests_per_s * seconds)):
            await asyncio.sleep(start + number / requests_per_s - time.monotonic())
            first = number * texts % (len(passages) - texts)
            sending.append(asyncio.create_task(_send(client, passages[first : first + texts], outcomes)))
        for task in sending:
            task.cancel()  # the load goes away
        await asyncio.gather(*sending, return_exceptions=True)
    outcomes.seconds = seconds
    return outcomes


async def _send(client: AsyncClient, passages: Sequence[str], outcomes: Outcomes) -> None:
    start = time.monotonic()
    try:
        await client.embed_passages(passages)
    except Overloaded:
        outcomes.refused_s.append(time.monotonic() - start)
    except RetritonError as error:
        outcomes.failed.append(str(error))
    else:
        outcomes.answered_s.append(time.monotonic() - start)
        outcomes.texts += len(passages)
