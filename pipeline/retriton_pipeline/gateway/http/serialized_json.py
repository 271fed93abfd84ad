"""Responses whose bodies are serialised already."""

from __future__ import annotations

from starlette.responses import Response


class SerializedJson(Response):
    """A JSON document, as text or bytes."""

    media_type = "application/json"
