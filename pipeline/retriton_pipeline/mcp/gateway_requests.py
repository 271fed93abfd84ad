"""Requests to a gateway, whose errors become those of tools."""

from __future__ import annotations

from typing import Any, TypeVar

import httpx2
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, ValidationError

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.mcp.schemas import RefusedResponse

_TIMEOUT = httpx2.Timeout(630.0, connect=5.0)  # the gateway's own limits are shorter
Body = TypeVar("Body", bound=BaseModel)


class GatewayRequests:
    """Sends requests to one gateway.

    Args:
        url: its address, such as http://127.0.0.1:8080.
        key: an API key; empty for a gateway without keys.

    Raises:
        InvalidOption: ``url`` is not an HTTP address, or ``key`` cannot be sent in a header.
    """

    def __init__(self, url: str, key: str = "") -> None:
        if not _is_address(url):
            raise InvalidOption(f"the gateway's address is {url!r}: it must be http://HOST:PORT or https://HOST:PORT")
        if not (key.isascii() and key.isprintable()):
            raise InvalidOption("the API key has characters that no key of `retriton key` has")
        self._url = url
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT)

    async def get(self, body: type[Body], path: str, **parameters: Any) -> Body:
        """The response to a GET request.

        Raises:
            ToolError: the gateway refused, with its sentence; or it cannot be reached.
        """
        return await self._send(body, "GET", path, params=parameters)

    async def post(self, body: type[Body], path: str, **content: Any) -> Body:
        """The response to a POST request; ``content`` is ``json`` or ``files``. Raises as `get`."""
        return await self._send(body, "POST", path, **content)

    async def _send(self, body: type[Body], method: str, path: str, **content: Any) -> Body:
        try:
            response = await self._http.request(method, path, **content)
        except httpx2.TimeoutException:
            raise ToolError(f"the gateway at {self._url} does not respond") from None
        except httpx2.HTTPError as error:
            cause = f"the gateway at {self._url} cannot be reached: {error}"
            raise ToolError(f"{cause}; start it with `retriton serve`, or set RETRITON_GATEWAY_URL") from None
        try:
            if response.is_success:
                return body.model_validate_json(response.content)
            sentence = RefusedResponse.model_validate_json(response.content).error.message
        except ValidationError:
            sentence = f"{self._url} does not respond to {method} {path} as a gateway (status {response.status_code})"
        raise ToolError(sentence)


def _is_address(url: str) -> bool:
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host) and not parts.userinfo  # errors name the address
