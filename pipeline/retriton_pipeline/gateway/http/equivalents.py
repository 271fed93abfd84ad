"""Requests that mean the same as others: addresses that clients put together differently, and HEAD."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES = re.compile("/{2,}")
_VERSION_BEFORE = re.compile("(/v1)+(?=/v[12]/)")
_UNVERSIONED = re.compile("/(embeddings|models|ranking|chat/completions|responses|files|vector_stores)(?=/|$)")
_PROBES = {"/health": ("/v1/health/ready", b"part=triton"), "/metrics": ("/v1/metrics", b"")}


class EquivalentsMiddleware:
    """Answers such requests as those that they mean. A redirect would lose the body and the key in many clients."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            scope = {**scope, "path": _path(scope["method"], scope["path"])}
            if scope["path"] in _PROBES:
                scope["path"], scope["query_string"] = _PROBES[scope["path"]]
            if scope["method"] == "HEAD":
                scope["method"] = "GET"  # the server, whose own scope says HEAD, sends no body
        await self._app(scope, receive, send)


def _path(method: str, path: str) -> str:
    """The path that is meant.

    Base addresses end with a slash, or not, and with ``/v1``, or not; some clients add what is there already, others do
    not add what is missing. Those of Hugging Face send texts to the root.
    """
    plain = _SLASHES.sub("/", path).rstrip("/") or "/"
    if added := _VERSION_BEFORE.match(plain):
        plain = plain[added.end() :]
    if plain == "/" and method == "POST":
        return "/embed"
    return f"/v1{plain}" if _UNVERSIONED.match(plain) else plain
