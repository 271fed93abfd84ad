"""Keeps pages of other sites away from a gateway without keys: the user's browser reaches it, and would obey them."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers

from retriton_pipeline.gateway.http.errors import Refused

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_origin(headers: Headers, hosts: Collection[str]) -> None:
    """Refuses what a page of another site sends.

    Args:
        headers: of the request.
        hosts: names that the gateway goes by, besides its address and ``localhost``. A site can let its own name stand
            for our address (DNS rebinding), so that its pages seem to be of the same origin.

    Raises:
        Refused: with what to do.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    name = _split(f"//{host}").hostname or ""
    if name not in (*LOOPBACK, *hosts) and not _is_address(name):
        raise _refused(f"this host is not called {name!r} (--host-name)")
    if origin is not None and _split(origin).netloc != host:
        raise _refused(f"pages of {origin!r} may not use it")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _refused(f"{url!r} is no address") from None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _refused(why: str) -> Refused:
    return Refused(403, "forbidden_origin", f"without API keys, {why}: make keys with `retriton key NAME`")
