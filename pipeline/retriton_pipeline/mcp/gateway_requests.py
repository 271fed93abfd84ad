"""Requests to a gateway, whose errors become those of tools."""

from __future__ import annotations

from typing import Any

import httpx2
from mcp.server.mcpserver.exceptions import ToolError

from retriton_client.proxies import client_options
from retriton_pipeline.errors import InvalidOption

_TIMEOUT = httpx2.Timeout(630.0, connect=5.0)  # the gateway's own limits are shorter


class GatewayRequests:
    """Sends requests to one gateway, and returns the JSON objects of its responses.

    Args:
        url: its address, such as http://127.0.0.1:8080.
        key: an API key; empty for a gateway without keys.
        transport: carries the requests; None for the network.
        auth: adds a key to each request, in place of ``key``.

    Raises:
        InvalidOption: ``url`` is not an HTTP address, ``key`` cannot be sent in a header, or the environment's proxies
            are needed and cannot be used.
    """

    def __init__(
        self,
        url: str,
        key: str = "",
        transport: httpx2.AsyncBaseTransport | None = None,
        auth: httpx2.Auth | None = None,
    ) -> None:
        if not _is_address(url):
            raise InvalidOption(f"the gateway's address is {url!r}: it must be http://HOST:PORT or https://HOST:PORT")
        if not (key.isascii() and key.isprintable()):
            raise InvalidOption("the API key has characters that no key of `retriton key` has")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = url
        try:
            self._http = httpx2.AsyncClient(
                base_url=url, headers=headers, timeout=_TIMEOUT, transport=transport, auth=auth, **client_options(url)
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise InvalidOption(f"the proxy settings in the environment cannot be used: {error}") from error

    async def send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The response to a request; ``content`` is ``params``, ``json`` or ``files``.

        Raises:
            ToolError: the gateway refused, with its sentence; or it cannot be reached.
        """
        try:
            response = await self._http.request(method, path, **content)
        except httpx2.HTTPError as error:
            cause = f"the gateway at {self._url} does not respond: {str(error) or type(error).__name__}"
            raise ToolError(f"{cause}; start it with `retriton serve`, or set RETRITON_GATEWAY_URL") from None
        try:
            body = response.json()
            if response.is_success:
                return dict(body)
            sentence = str(body["error"]["message"])
        except (ValueError, TypeError, KeyError):
            sentence = f"{self._url} does not respond to {method} {path} as a gateway (status {response.status_code})"
        raise ToolError(sentence)


def _is_address(url: str) -> bool:
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host) and not parts.userinfo  # errors name the address
