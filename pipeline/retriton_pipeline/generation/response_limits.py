"""Limits the bytes of an HTTP response while it is read: a line without an end would otherwise fill the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from retriton_pipeline.errors import LLMError

_LINE_BYTES_MAX = 1024 * 1024


async def limit(bytes_max: int, response: Any) -> None:
    """Limits the body of a response of `httpx`; a hook of its clients.

    Reading the body raises `LLMError` after ``bytes_max`` bytes, or 1 MiB without a line feed. Raises it at once for a
    compressed body, which a few bytes can make arbitrarily long.
    """
    if (encoding := response.headers.get("content-encoding", "identity")) != "identity":
        raise LLMError(f"the endpoint's response is compressed ({encoding!r:.40}), although that was not requested")
    response.stream = _limited(response.stream, bytes_max)


def _limited(stream: Any, bytes_max: int) -> Any:
    kind = next(base for base in type(stream).__mro__ if base.__name__ == "AsyncByteStream")  # of httpx or httpx2

    class Limited(kind):  # type: ignore[misc,valid-type]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            total = line = 0
            async for chunk in stream:
                total += len(chunk)
                last = chunk.rfind(b"\n")
                line = line + len(chunk) if last < 0 else len(chunk) - last - 1
                if total > bytes_max or line > _LINE_BYTES_MAX:
                    what = f"response exceeds {bytes_max}" if total > bytes_max else f"line exceeds {_LINE_BYTES_MAX}"
                    raise LLMError(f"the endpoint's {what} bytes")
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    return Limited()
