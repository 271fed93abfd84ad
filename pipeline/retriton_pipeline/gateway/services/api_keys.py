"""API keys: a file of names and digests, read again when it changes."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from pathlib import Path

from retriton_pipeline.errors import PipelineError

log = logging.getLogger("retriton.gateway")
_LINE = re.compile(r"(?P<name>[\w.@-]{1,64}):(?P<digest>[0-9a-f]{64})")
ANONYMOUS = "anonymous"


def new_key(name: str) -> tuple[str, str]:
    """A key of 256 random bits, and its line for the file. The key itself is not stored.

    Raises:
        PipelineError: the name has other characters than letters, digits and ``._@-``.
    """
    key = f"rt-{secrets.token_urlsafe(32)}"
    line = f"{name}:{_digest(key)}"
    if not _LINE.fullmatch(line):
        raise PipelineError(f"the name {name!r} must be of 1 to 64 letters, digits and ._@-")
    return key, line


class ApiKeys:
    """The valid API keys.

    Args:
        file: one line ``name:sha256`` per key; empty lines and comments (#) are ignored. None accepts every request.
        reload_s: seconds between two checks whether the file has changed.

    Raises:
        PipelineError: the file cannot be read, has a malformed line, or no key at all.
    """

    def __init__(self, file: Path | None, reload_s: float = 1.0) -> None:
        self._file = file
        self._reload_s = reload_s
        self._names: dict[str, str] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._next_check_s = 0.0
        if file:
            self._read(file)

    @property
    def are_required(self) -> bool:
        """Whether requests need a key."""
        return self._file is not None

    def name(self, authorization: str) -> str | None:
        """The name of the key in an ``Authorization`` header; None if it is missing or wrong."""
        if self._file is None:
            return ANONYMOUS
        if time.monotonic() >= self._next_check_s:
            self._reload(self._file)
        scheme, _, key = authorization.partition(" ")
        return self._names.get(_digest(key.strip())) if scheme.lower() == "bearer" else None

    def _reload(self, file: Path) -> None:
        try:
            self._read(file)
        except PipelineError as error:  # possibly half written: the last valid keys are kept
            log.error("API keys are not changed: %s", error)
        self._next_check_s = time.monotonic() + self._reload_s

    def _read(self, file: Path) -> None:
        try:
            found = file.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise PipelineError(f"the API keys in {file} cannot be read: {error}") from error
        names = dict(_parse(file, number, line) for number, line in enumerate(lines, 1) if _is_key(line))
        if not names:
            raise PipelineError(f"{file} has no API key: `retriton key NAME` creates one")
        self._names, self._stamp = names, stamp


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parse(file: Path, number: int, line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip())
    if not match:  # the message omits the line: it may be a key, pasted by mistake
        raise PipelineError(f"line {number} of {file} is not name:sha256, as `retriton key NAME` prints it")
    return match["digest"], match["name"]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
