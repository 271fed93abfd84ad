"""Origin checks for a gateway without API keys, which pages of other sites could otherwise use through a browser."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers

from retriton_pipeline.gateway.errors import ApiError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_origin(headers: Headers, hosts: Collection[str]) -> None:
    """Rejects requests of pages from other sites.

    Args:
        headers: of the request.
        hosts: host names of the gateway, besides its address and ``localhost``. A site can resolve its own name to
            the gateway's address (DNS rebinding), so that its pages appear to have the same origin.

    Raises:
        ApiError: with what to do.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    name = _split(f"//{host}").hostname or ""
    if name not in (*LOOPBACK, *hosts) and not _is_address(name):
        raise _forbidden(f"the host name {name!r} is not accepted (--host-name)")
    if origin is not None and _split(origin).netloc != host:
        raise _forbidden(f"requests of pages from {origin!r} are rejected")


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
