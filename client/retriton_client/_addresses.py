"""Addresses of servers, checked before gRPC reads them: it looks for hosts named ``http``, and for port 443."""

from __future__ import annotations

import re

from retriton_client._exceptions import InvalidRequest

_GRPC = ("dns:", "unix:", "unix-abstract:", "ipv4:", "ipv6:", "vsock:", "xds:")  # gRPC's own forms are left to it
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]@]+):(?P<port>[0-9]{1,5})")
_PORT_MAX = 65535
_FORMS = "it can be host:port, [IPv6 address]:port, dns:///host:port or unix:path"


def addresses(url: str) -> list[str]:
    """The addresses in ``url``, which are separated by commas.

    Raises:
        InvalidRequest: an address is empty, there twice, or none that gRPC understands.
    """
    found = [str(address).strip() for address in url.split(",")]
    if not all(found):
        raise InvalidRequest(f"url is {url!r:.200}, and one of its addresses is empty: it can be host:port,host:port")
    if len(set(found)) < len(found):
        raise InvalidRequest(f"url is {url!r:.200}, and names an address twice")
    for address in found:
        if problem := _problem(address):
            raise InvalidRequest(f"url is {url!r:.200}, {problem}: {_FORMS}")
    return found


def _problem(address: str) -> str:
    """What is wrong with an address; empty if nothing is."""
    if address.startswith("dns://") and "/" not in address.removeprefix("dns://"):
        return "and the third slash of dns:/// is missing"
    if address.startswith(_GRPC):
        return ""
    if "://" in address:
        return "the address of a website, not of a gRPC server"
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return "which has no port" if ":" not in address else "which is not host:port"
    return "" if 0 < int(found["port"]) <= _PORT_MAX else f"and ports are from 1 to {_PORT_MAX}"
