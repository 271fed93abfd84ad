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
_LOOK_AGAIN_S = 1.0
ANONYMOUS = "anonymous"


def new_key(name: str) -> tuple[str, str]:
    """A key of 256 random bits, and the line for the file; the key itself is kept nowhere.

    Raises:
        PipelineError: the name has other characters than letters, digits and ``._@-``.
    """
    key = f"rt-{secrets.token_urlsafe(32)}"
    line = f"{name}:{_digest(key)}"
    if not _LINE.fullmatch(line):
        raise PipelineError(f"the name {name!r} must be of 1 to 64 letters, digits and ._@-")
    return key, line


class ApiKeys:
    """Who may come in.

    Args:
        file: a line ``name:sha256`` for each key, empty lines and comments (#) apart; None lets everybody in.

    Raises:
        PipelineError: the file cannot be read, has a malformed line, or no key at all.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._names: dict[str, str] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._look_at = 0.0
        if file:
            self._read(file)

    @property
    def are_needed(self) -> bool:
        """Whether anybody is kept out."""
        return self._file is not None

    def name(self, authorization: str) -> str | None:
        """Whose key the header ``Authorization`` carries; None for a wrong one, or none."""
        if self._file is None:
            return ANONYMOUS
        if time.monotonic() >= self._look_at:
            self._look_again(self._file)
        scheme, _, key = authorization.partition(" ")
        return self._names.get(_digest(key.strip())) if scheme.lower() == "bearer" else None

    def _look_again(self, file: Path) -> None:
        try:
            self._read(file)
        except PipelineError as error:  # half written, perhaps: the keys that were valid stay so
            log.error("API keys stay as they were: %s", error)
        self._look_at = time.monotonic() + _LOOK_AGAIN_S

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
            raise PipelineError(f"{file} has no API key: `retriton key NAME` makes one")
        self._names, self._stamp = names, stamp


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parse(file: Path, number: int, line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip())
    if not match:  # the line is not repeated: it may be a key that somebody pasted
        raise PipelineError(f"line {number} of {file} is not name:sha256, as `retriton key NAME` prints it")
    return match["digest"], match["name"]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
