"""Forms with files. One that is cut off or malformed is refused as a whole, so that no file is lost unnoticed."""

from __future__ import annotations

import re
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from retriton_pipeline.gateway.errors import ApiError

_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=", re.IGNORECASE)


class FormRequest(Request):
    """A request whose body is a form."""

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        """The form. Raises `ApiError` if it is malformed or not complete."""
        if self._form is None:
            self._form = await _FormParser(self.headers, self.stream(), **limits).parse()
        return self._form


class _FormParser(MultiPartParser):
    _is_complete = False

    def on_header_end(self) -> None:
        """A part whose name is only in ``filename*`` is a file, too; see `uploaded_files.name_of`."""
        super().on_header_end()
        part = self._current_part
        disposition = part.content_disposition or b""
        if _EXTENDED_NAME.search(disposition) and b"filename" not in parse_options_header(disposition)[1]:
            part.content_disposition = disposition + b'; filename=""'

    def on_end(self) -> None:
        """The last boundary was read."""
        self._is_complete = True

    async def parse(self) -> FormData:
        """The form. Raises `ApiError` if it is malformed or not complete."""
        try:
            form = await super().parse()
        except MultiPartException as error:
            raise _refusal(error) from error
        if not self._is_complete:
            for file in self._files_to_close_on_error:  # also one that is not complete
                file.close()
            message = "the form ends before its last boundary, the one with -- after it: send all of it"
            raise ApiError(400, "invalid_request", message)
        return form


def _refusal(error: MultiPartException) -> ApiError:
    if "boundary" in error.message:
        message = "Content-Type has no boundary: let the HTTP client set this header, which knows the boundary"
        return ApiError(400, "invalid_request", message, "Content-Type")
    return ApiError(400, "invalid_request", f"the form is malformed: {error.__cause__ or error.message}")
