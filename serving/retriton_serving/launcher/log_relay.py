"""The output of Triton: passed on, and searched for the reasons of a failed start."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections import deque
from typing import IO

log = logging.getLogger("retriton.serve")
_LINE_MAX = 16_384  # bytes; a longer line is passed on in parts
_ERRORS_MAX = 200  # lines that are kept
_REASONS_MAX = 6
_FAILED = re.compile(r"failed to load '(\w+)' version \d+: (.*)")
_PREFIX = re.compile(r'^E\d{4} \S+ \d+ \S+\] "?')  # of Triton's log: level and date, time, thread, place
_TRACE = re.compile(r"(\\n)*At:(\\n|$).*")


class LogRelay:
    """Copies a pipe to a file in a thread of its own, and goes on reading when the file cannot be written.

    A full disk or a reader that is gone would otherwise stop Triton, which writes there.

    Args:
        target: where the output goes, which may be closed after the start; None: the standard error of this process.
    """

    def __init__(self, target: IO[bytes] | None = None) -> None:
        log_file = target or sys.__stderr__
        self._target = os.dup(log_file.fileno()) if log_file else -1
        self._lost = False
        self._errors: deque[str] = deque(maxlen=_ERRORS_MAX)
        self._source, self.write_end = os.pipe()
        self._thread = threading.Thread(target=self._copy, name="triton-log", daemon=True)

    def start(self) -> None:
        """Begins to copy; the process that writes has been started, and `write_end` is closed here."""
        os.close(self.write_end)
        self._thread.start()

    def discard(self) -> None:
        """Closes the pipe of a process that could not be started."""
        os.close(self.write_end)
        os.close(self._source)
        self._close_target()

    def join(self, timeout_s: float = 2.0) -> None:
        """Waits until all output is copied; the processes that write have ended."""
        self._thread.join(timeout_s)

    def reasons(self) -> list[str]:
        """Why models failed to load, as ``model: reason``; without any, the last lines that report errors."""
        lines = list(self._errors)
        failed = (_FAILED.search(line) for line in lines)
        reasons = dict.fromkeys(f"{match[1]}: {_readable(match[2])}" for match in failed if match)
        # A lane that fails because of its model is less informative than the model.
        return list(reasons)[:_REASONS_MAX] or [_readable(_PREFIX.sub("", line)) for line in lines[-5:]]

    def _copy(self) -> None:
        with os.fdopen(self._source, "rb") as source:
            while line := source.readline(_LINE_MAX):
                if line.startswith((b"E", b"error")):
                    self._errors.append(line.decode(errors="replace").rstrip())
                self._write(line)
        self._close_target()

    def _close_target(self) -> None:
        if self._target >= 0:
            os.close(self._target)

    def _write(self, line: bytes) -> None:
        try:
            os.write(self._target, line)
            self._lost = False
        except OSError as error:
            if not self._lost:
                self._lost = True
                log.warning("the output of Triton is dropped while it cannot be written: %s", error.strerror)


def _readable(reason: str) -> str:
    shortened = _TRACE.sub("", reason.removesuffix('"')).removesuffix(";")
    return shortened.replace("\\n", " ").replace('\\"', '"').strip()
