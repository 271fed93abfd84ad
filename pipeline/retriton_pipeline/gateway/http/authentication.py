"""Authentication by API key; without keys, protection from pages of other sites."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.fairness import current_key
from retriton_pipeline.gateway.http.error_responses import error_response
from retriton_pipeline.gateway.http.origins import check_origin
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.api_keys import ApiKeys
from retriton_pipeline.gateway.settings import Settings

PUBLIC_PREFIXES = ("/v1/health/", "/v1/metrics", "/openapi.json", "/static/")


def is_public(scope: Scope) -> bool:
    """Whether the request needs neither a key nor admission."""
    path: str = scope.get("path", "")
    return scope["type"] != "http" or path == "/" or path.startswith(PUBLIC_PREFIXES)


class AuthenticationMiddleware:
    """Rejects requests without a valid API key; sets ``scope["key"]`` to the name of the key."""

    def __init__(self, app: ASGIApp, keys: ApiKeys, settings: Settings, metrics: GatewayMetrics) -> None:
        self._app = app
        self._keys = keys
        self._hosts = settings.hosts
        self._origins = settings.origins
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not is_public(scope):
            try:
                scope["key"] = self._authenticate(Headers(scope=scope))
                current_key.set(scope["key"])
            except ApiError as error:
                self._metrics.reject(error.status)
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _authenticate(self, headers: Headers) -> str:
        if not self._keys.are_required:
            check_origin(headers, self._hosts, self._origins)
        name = self._keys.name(headers.get("authorization", ""))
        if name is None:
            raise ApiError(401, "invalid_api_key", "a valid API key is required: Authorization: Bearer KEY")
        return name
