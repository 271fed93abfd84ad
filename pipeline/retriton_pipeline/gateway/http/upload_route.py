"""Uploads: forms whose files are streamed to the disk."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from retriton_pipeline.gateway.http.forms import FormRequest
from retriton_pipeline.gateway.http.media_types import FORM, check_media_type


def upload_route(receiving: Callable[[str, int], AbstractContextManager[None]], bytes_max: int) -> type[APIRoute]:
    """A route that checks the body's type, and whether there is room for it, before it reads the files.

    Args:
        receiving: holds the room, for a key, of a body of at most so many bytes, while it is received.
        bytes_max: of a body without a length.
    """

    class UploadRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_with_room(request: Request) -> Response:
                check_media_type(request.headers, FORM)
                announced = request.headers.get("content-length", "")
                size = min(int(announced), bytes_max) if announced.isdecimal() else bytes_max
                with receiving(request.scope["key"], size):
                    return await handle(FormRequest(request.scope, request.receive))

            return handle_with_room

    return UploadRoute
