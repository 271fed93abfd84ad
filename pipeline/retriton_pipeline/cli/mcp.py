"""`retriton mcp`."""

from __future__ import annotations

import logging
import os
import signal
from typing import Annotated

import typer

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.mcp import GatewayRequests, create_server

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def mcp(
    gateway: Annotated[
        str, typer.Option(envvar="RETRITON_GATEWAY_URL", help="Address of the gateway.")
    ] = "http://127.0.0.1:8080",
    api_key: Annotated[
        str, typer.Option(envvar="RETRITON_API_KEY", help="An API key of the gateway, from `retriton key`.")
    ] = "",
    http: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve streamable HTTP at http://HOST:PORT/mcp, on a loopback address, instead of standard input "
            "and output.",
        ),
    ] = "",
) -> None:
    """Offer search, answers and documents of a gateway to MCP hosts.

    A host such as an assistant or an editor starts this command, and talks to it on standard input and output.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")  # on standard error
    server = create_server(GatewayRequests(gateway, api_key))
    if http:
        host, port = _address(http)
        typer.echo(f"MCP at http://{http}/mcp", err=True)
        server.run("streamable-http", host=host, port=port, json_response=True)  # some hosts accept nothing else
    else:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler waits for the thread that reads standard input
        try:
            server.run()
        except* BrokenPipeError:
            os.close(1)  # the host has ended, and reads nothing more: there is nothing to flush at the exit


def _address(text: str) -> tuple[str, int]:
    """Host and port. Only loopback addresses: whoever reaches the server uses its API key."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if host not in _LOOPBACK or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise InvalidOption(f"--http is {text!r}: it must be HOST:PORT, with the host {', '.join(_LOOPBACK)}")
    return host, int(port)
