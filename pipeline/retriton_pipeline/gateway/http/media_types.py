"""What bodies are: JSON or a form, and never compressed."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from retriton_pipeline.gateway.errors import ApiError

JSON, FORM = "application/json", "multipart/form-data"
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1")  # the last is many clients' name for ASCII
_ACCEPTED = {JSON: re.compile(r"|application/([^/]+\+)?json"), FORM: re.compile(re.escape(FORM))}


def check_media_type(headers: Headers, wanted: str) -> None:
    """Checks what the body is. A body without a Content-Type counts as JSON: many clients forget it.

    Args:
        headers: of the request.
        wanted: `JSON` or `FORM`.

    Raises:
        ApiError: 415, with the header that is wrong.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise _unsupported("Content-Encoding", encoding, "send the body uncompressed", {"Accept-Encoding": "identity"})
    if wanted == JSON and headers.get("content-length") == "0":
        return  # many clients name a type all the same
    content_type = headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if not _ACCEPTED[wanted].fullmatch(kind):
        raise _unsupported("Content-Type", kind, f"send {wanted}", {"Accept": wanted})
    charset = _CHARSET.search(content_type) if wanted == JSON else None
    if charset and charset[1].lower() not in _CHARSETS:
        raise _unsupported("Content-Type", content_type, "send UTF-8", {"Accept": wanted})


def _unsupported(header: str, value: str, remedy: str, headers: dict[str, str]) -> ApiError:
    found = f"is {value[:100]!r}" if value else "is missing"
    return ApiError(415, "unsupported_media_type", f"{header} {found}: {remedy}", header, headers=headers)
