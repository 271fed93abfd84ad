"""Documents for the service that is measured."""

from __future__ import annotations

import time
from collections.abc import Sequence

import httpx

_TIMEOUT_S = 1800.0


def upload(http: httpx.Client, collection: str, files: Sequence[tuple[str, bytes]]) -> str:
    """Uploads files, names with contents; returns the job's identifier."""
    parts = [("files", file) for file in files]
    answer = http.post(f"/v1/collections/{collection}/documents", files=parts)
    return str(answer.raise_for_status().json()["id"])


def wait(http: httpx.Client, job: str) -> None:
    """Waits until the documents are stored.

    Raises:
        RuntimeError: one was not added, or it took too long.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        state = http.get(f"/v1/jobs/{job}").raise_for_status().json()
        if state["state"] not in ("queued", "running"):
            if state["state"] != "succeeded":
                raise RuntimeError(f"the documents were not added: {state}")
            return
        time.sleep(0.1)
    raise RuntimeError(f"the documents were not added within {_TIMEOUT_S:g} s")
