"""Health probes of Triton, Milvus and the LLM."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from retriton_client import RetritonError
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.schemas.health import DependencyHealth
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway")
_PROBE_S_MAX = 3.0
_FRESH_S = 1.0  # several load balancers share a probe


class HealthProbes:
    """Probes the dependencies, at most once a second."""

    def __init__(self, settings: Settings, upstream: Upstream, collections: Collections) -> None:
        self._checks: dict[str, Callable[[], Awaitable[Any]]] = {
            "triton": lambda: upstream.client.check_health(_PROBE_S_MAX),
            "milvus": collections.check,
        }
        if settings.llm:
            self._checks["llm"] = settings.llm.check
        self._probed_s = 0.0
        self._found: dict[str, DependencyHealth] = {}
        self._lock = asyncio.Lock()

    async def check(self) -> dict[str, DependencyHealth]:
        """The health of every dependency."""
        async with self._lock:
            if time.monotonic() > self._probed_s + _FRESH_S:
                found = await asyncio.gather(*(_probe(check) for check in self._checks.values()))
                self._probed_s, self._found = time.monotonic(), dict(zip(self._checks, found, strict=True))
            return self._found


async def _probe(check: Callable[[], Awaitable[Any]]) -> DependencyHealth:
    start_s = time.perf_counter()
    error: str | None = None
    try:
        async with asyncio.timeout(_PROBE_S_MAX):
            await check()
    except (RetritonError, PipelineError, TimeoutError, OSError) as failure:
        log.warning("unhealthy: %s", failure)
        error = type(failure).__name__
    return DependencyHealth(healthy=error is None, ms=round((time.perf_counter() - start_s) * 1e3, 2), error=error)
