"""Pages of other sites: those that may use the gateway (CORS), and the check that keeps out all others without keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from retriton_pipeline.gateway.errors import ApiError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_METHODS = ("DELETE", "GET", "POST")
_EXPOSED = ("Location", "NVCF-REQID", "NVCF-STATUS", "Retry-After", "X-Request-ID")  # headers that pages may read


def allowing(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """``app`` for pages of ``origins`` too: answers the preflights of browsers, which carry no key."""
    if not origins:
        return app
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=_METHODS, allow_headers=["*"], expose_headers=_EXPOSED
    )


def check_origin(headers: Headers, hosts: Collection[str], origins: Collection[str] = ()) -> None:
    """Rejects requests of pages from other sites.

    Args:
        headers: of the request.
        hosts: host names of the gateway, besides its address and ``localhost``. A site can resolve its own name to
            the gateway's address (DNS rebinding), so that its pages appear to have the same origin.
        origins: of pages that are allowed, besides the gateway's own. ``*`` allows none: it is for gateways with keys.

    Raises:
        ApiError: with what to do.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    name = _split(f"//{host}").hostname or ""
    if name not in (*LOOPBACK, *hosts) and not _is_address(name):
        raise _forbidden(f"the host name {name!r} is not accepted (--host-name)")
    if origin is not None and origin not in origins and _split(origin).netloc != host:
        raise _forbidden(f"requests of pages from {origin!r} are rejected (--origin)")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _forbidden(f"{url!r} is not a valid address") from None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _forbidden(reason: str) -> ApiError:
    return ApiError(403, "forbidden_origin", f"without API keys, {reason}: create keys with `retriton key NAME`")
