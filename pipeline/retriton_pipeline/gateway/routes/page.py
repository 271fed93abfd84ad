"""The web page at ``/``, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent.parent / "static"
_HEADERS = {
    "Cache-Control": "no-cache",  # file names do not change with their content
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageFiles(StaticFiles):
    """The scripts and styles of the page."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        """The file, with the headers of the page."""
        response = super().file_response(*arguments, **named)
        response.headers.update(_HEADERS)
        return response


def router() -> APIRouter:
    """The route of the page; the application mounts its files."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    async def page() -> Response:
        """The page."""
        return FileResponse(FOLDER / "index.html", headers=_HEADERS)

    return routes
