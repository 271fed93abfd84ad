"""Proxies that the environment names (``http_proxy``, ``all_proxy``): they are for the web, not for this machine."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit


def client_options(url: str) -> dict[str, Any]:
    """Arguments of an HTTP client, of httpx or httpx2, for requests to ``url``.

    If it is an address of this machine, the environment's proxies are not used, and need not be valid; certificates in
    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are.
    """
    return {"trust_env": False, "verify": ssl.create_default_context()} if is_local(url) else {}


def is_local(url: str) -> bool:
    """Whether the host of ``url`` is this machine, by a loopback address or the name ``localhost``."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
