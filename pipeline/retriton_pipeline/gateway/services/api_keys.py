"""API keys: a file of names and digests, read again when it changes."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import secrets
import stat
import time
from pathlib import Path

from retriton_pipeline.errors import PipelineError

log = logging.getLogger("retriton.gateway")
_LINE = re.compile(r"(?P<name>[\w.@-]{1,64}):(?P<digest>[0-9a-f]{64})")
ANONYMOUS = "anonymous"
_BYTES_MAX = 1024 * 1024  # about 8,000 keys
_FAULTS_MAX = 10  # line numbers in a message


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
    """The valid API keys: those of the lines of a file that can be read now. Of an absent file, there are none.

    Args:
        file: one line ``name:sha256`` per key; empty lines and comments (#) are ignored. None accepts every request.
        reload_s: seconds between two checks whether the file has changed.

    Raises:
        PipelineError: at the start, the file cannot be read, has a malformed line, or no key at all.
    """

    def __init__(self, file: Path | None, reload_s: float = 1.0) -> None:
        self._file = file
        self._reload_s = reload_s
        self._content: bytes | None = b""
        self._names: dict[str, str] = {}
        self._faults: list[str] = []
        self._next_check_s = 0.0
        if file:
            self._read(file)
            if self._faults:
                raise PipelineError(self._faults[0])

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
        before = self._faults
        self._read(file)
        for fault in self._faults if self._faults != before else []:
            log.error("API keys: %s", fault)
        self._next_check_s = time.monotonic() + self._reload_s

    def _read(self, file: Path) -> None:
        """The content decides, not the time of its change: a file can be replaced within one tick of the clock."""
        try:
            content = _content(file)
        except OSError as error:
            self._content, self._names = None, {}
            self._faults = [f"{file} cannot be read, nobody is let in: {error.strerror}"]
            return
        if content != self._content or not self._names:
            self._content = content
            self._names, self._faults = _parsed(file, content)


def _content(file: Path) -> bytes:
    """The bytes of a regular file: reading a pipe or a device could take forever."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if len(content := os.read(descriptor, _BYTES_MAX + 1)) > _BYTES_MAX:
            raise OSError(errno.EFBIG, f"more than {_BYTES_MAX} bytes")
    finally:
        os.close(descriptor)
    return content


def _parsed(file: Path, content: bytes) -> tuple[dict[str, str], list[str]]:
    """The names of all keys by their digests; and what is wrong. Lines are not repeated: one may be a key, pasted."""
    names: dict[str, str] = {}
    malformed = []
    for number, line in enumerate(content.decode("utf-8-sig", "replace").split("\n"), 1):
        text = line.strip()
        if match := _LINE.fullmatch(text):
            names.setdefault(match["digest"], match["name"])
        elif text and not text.startswith("#"):
            malformed.append(str(number))
    faults = []
    if malformed:
        lines = ", ".join(malformed[:_FAULTS_MAX]) + (", ..." if len(malformed) > _FAULTS_MAX else "")
        faults.append(f"line {lines} of {file} is not name:sha256, as `retriton key NAME` prints it, and is ignored")
    if not names:
        faults.append(f"{file} has no API key, nobody is let in: `retriton key NAME` creates one")
    return names, faults


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
