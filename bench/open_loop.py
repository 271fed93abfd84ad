"""Open-loop load: requests are sent on schedule without waiting for responses, so that queueing becomes visible."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from retriton_client import AsyncClient, Limits, Overloaded, RetritonError, Retry


@dataclass
class Outcomes:
    """Outcomes of an open-loop run.

    Attributes:
        answered_s, refused_s: latencies in seconds of answered and of refused requests.
        failed: messages of all other errors.
        texts: number of texts in answered requests.
        seconds: duration of the run.
    """

    answered_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    texts: int = 0
    seconds: float = 0.0


async def send(url: str, passages: Sequence[str], texts: int, requests_per_s: float, seconds: float) -> Outcomes:
    """Sends requests of ``texts`` passages at a constant rate for ``seconds``, without retries."""
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
            task.cancel()  # ends the load
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
