"""A gateway whose event loop is late refuses requests, before anything else sees them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from retriton_pipeline.gateway.http import shedding
from retriton_pipeline.gateway.http.shedding import SheddingMiddleware
from retriton_pipeline.gateway.metrics import GatewayMetrics

MANY = 200


@dataclass
class Gateway:
    """The middleware before an application whose requests keep the event loop busy, and then wait.

    Attributes:
        work_s, wait_s: of each request.
    """

    work_s: float
    wait_s: float
    middleware: SheddingMiddleware = field(init=False)

    def __post_init__(self) -> None:
        self.middleware = SheddingMiddleware(self._application, GatewayMetrics())

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        time.sleep(self.work_s)  # noqa: ASYNC251 - the loop is to be late
        await asyncio.sleep(self.wait_s)
        await PlainTextResponse("done")(scope, receive, send)

    async def request(self, path: str = "/v1/retrieve") -> Message:
        """The start of the response."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("the body is not needed")

        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        await self.middleware(scope, receive, send)
        return sent[0]

    async def statuses(self, requests: int = MANY, path: str = "/v1/retrieve") -> list[int]:
        """Of so many requests at the same time."""
        answers = await asyncio.gather(*(self.request(path) for _ in range(requests)))
        return [answer["status"] for answer in answers]


async def test_a_late_loop_refuses_what_it_could_not_answer_soon() -> None:
    gateway = Gateway(0.005, 0.2)
    found = await gateway.statuses()
    assert set(found) == {200, 429}
    assert 64 <= found.count(200) < MANY
    assert found.index(429) >= 64
    assert (await gateway.request())["status"] == 200  # it has recovered


async def test_a_refusal_says_when_to_try_again() -> None:
    gateway = Gateway(0.005, 0.2)
    answers = await asyncio.gather(*(gateway.request() for _ in range(MANY)))
    refused = next(answer for answer in answers if answer["status"] == 429)
    assert (b"retry-after", b"1") in refused["headers"]


async def test_many_requests_that_only_wait_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "_LAG_S_MAX", 2.0)  # the machine may have other work
    assert set(await Gateway(0.0, 0.3).statuses()) == {200}


async def test_few_requests_and_probes_of_health_are_answered_by_a_late_loop() -> None:
    assert set(await Gateway(0.02, 0.05).statuses(32)) == {200}
    assert set(await Gateway(0.005, 0.2).statuses(path="/v1/health/live")) == {200}
