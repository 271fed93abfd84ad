"""How much the uploads that wait may be, in all and of one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from retriton_pipeline.gateway.services.api_keys import ANONYMOUS
from retriton_pipeline.gateway.settings import Bounds

Upload = tuple[str, int]  # owner and bytes


class UploadLimits:
    """Limits of the uploads that are received or wait.

    Args:
        bounds: of the gateway.
        waiting: the uploads that wait.
    """

    def __init__(self, bounds: Bounds, waiting: Callable[[], list[Upload]]) -> None:
        self._bounds = bounds
        self._waiting = waiting
        self._receiving: list[Upload] = []

    @contextmanager
    def receiving(self, owner: str, bytes_max: int) -> Iterator[None]:
        """An upload of at most ``bytes_max`` bytes, before and while its files are received.

        Raises:
            ApiError: the queue is full, or the owner's part of it.
        """
        self._check(owner, bytes_max)
        entry = (owner, bytes_max)
        self._receiving.append(entry)
        try:
            yield
        finally:
            self._receiving.remove(entry)

    def _check(self, owner: str, bytes_max: int) -> None:
        uploads, bounds = [*self._waiting(), *self._receiving], self._bounds
        _check_limits("", uploads, bytes_max, bounds.jobs, bounds.jobs_bytes)
        if owner != ANONYMOUS:
            own = [upload for upload in uploads if upload[0] == owner]
            _check_limits(" of your key", own, bytes_max, bounds.jobs_per_key, bounds.jobs_bytes_per_key)


def _check_limits(whose: str, uploads: Sequence[Upload], size: int, count_max: int, bytes_max: int) -> None:
    waiting_bytes = sum(upload[1] for upload in uploads)
    if len(uploads) < count_max and waiting_bytes + size <= bytes_max:
        return
    message = (
        f"{len(uploads)} uploads{whose} of {waiting_bytes} bytes are in the queue, the limits are {count_max} and "
    )
    message += f"{bytes_max} bytes: try again later"
    raise ApiError(429, "too_many_jobs", message, retry_after_s=10 * RETRY_AFTER_S)
