"""Requests that mean the same as others: a path with slashes at its end, and HEAD for probes."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from retriton_pipeline.gateway.http.authentication import is_public


class EquivalentsMiddleware:
    """Answers such requests as those that they mean. A redirect would lose the body and the key in many clients."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
            if scope["method"] == "HEAD" and is_public(scope):
                scope["method"] = "GET"  # the server, whose own scope says HEAD, sends no body
        await self._app(scope, receive, send)
