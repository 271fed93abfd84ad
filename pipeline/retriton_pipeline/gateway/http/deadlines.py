"""The deadline that a client sets for a request."""

from __future__ import annotations

from starlette.datastructures import Headers

from retriton_pipeline.gateway.errors import ApiError

TIMEOUT_HEADER = "X-Request-Timeout-Ms"


def deadline_s(headers: Headers, seconds_max: float) -> float:
    """Seconds until the response must start: those of the header, at most ``seconds_max``, which is the default.

    Raises:
        ApiError: the header is not a positive number of milliseconds.
    """
    value = headers.get(TIMEOUT_HEADER, "")
    if not value:
        return seconds_max
    if not value.isdecimal() or len(value) > 9 or not int(value):
        raise ApiError(400, "invalid_request", f"{TIMEOUT_HEADER} is {value[:20]!r}, not milliseconds", TIMEOUT_HEADER)
    return min(seconds_max, int(value) / 1e3)
