"""Health of the gateway and its dependencies."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Dependency = Literal["triton", "milvus", "llm"]


class DependencyHealth(BaseModel):
    """Whether a dependency works, the duration of its probe, and the error."""

    healthy: bool
    ms: float
    error: str | None = None


class Readiness(BaseModel):
    """Whether requests would succeed; ``parts`` are the dependencies."""

    status: Literal["ready", "not ready"]
    parts: dict[str, DependencyHealth]


class Liveness(BaseModel):
    """The process responds."""

    status: Literal["live"] = "live"
