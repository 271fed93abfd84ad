"""Runs a target on one input, and says what was wrong: an exception, a broken property, too much time or memory."""

from __future__ import annotations

import collections
import re
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from fuzz.target import MIB, Target

_ROOT = Path(__file__).parent.parent
_PRODUCT = tuple(str(_ROOT / folder) for folder in ("client", "export", "pipeline", "serving"))
_SAMPLE_S = 0.02
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Problem:
    """What is wrong with an input.

    Attributes:
        kind: ``exception``, ``property``, ``time``, ``memory``, ``growth``, ``hang`` or ``crash``.
        place: file and line of the product where it happens; empty if unknown.
        detail: for people.
    """

    kind: str
    place: str
    detail: str

    @property
    def key(self) -> str:
        """Problems with the same key are one problem."""
        return f"{self.kind} {self.place or self.detail[:60]}"


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        seconds: CPU time.
        mib: growth of the peak of resident memory.
        place: where in the product most of the time was spent; empty if unknown.
        problem: what is wrong, if anything is.
    """

    seconds: float
    mib: float
    place: str = ""
    problem: Problem | None = None


def measured(target: Target, raw: bytes, slack: float = 1.0, size: int | None = None) -> Measured:
    """Runs ``target`` on ``raw``; bounds are multiplied by ``slack``, since measuring coverage takes time too."""
    size = target.container.size(raw) if size is None else size
    before = _reset_peak()
    start = time.process_time()
    problem: Problem | None = None
    with _sampled() as frames:
        try:
            target.run(raw)
        except Exception as error:  # noqa: BLE001 - whatever it raises is a finding
            problem = _exception(error)
    seconds, mib = time.process_time() - start, _peak() - before
    place = max(frames, key=frames.__getitem__, default="")
    if problem is None and seconds > (most := slack * target.bound.seconds_for(size)):
        problem = Problem(
            "time", place, f"{seconds:.1f} s of CPU time for {size} bytes, at most {most:.1f} s are expected"
        )
    if problem is None and mib > (most := target.bound.mib_for(size)):
        problem = Problem("memory", place, f"{mib:.0f} MiB for {size} bytes, at most {most:.0f} MiB are expected")
    return Measured(seconds, mib, place, problem)


def _exception(error: Exception) -> Problem:
    from fuzz.target import Violation

    places = [
        place for frame in traceback.extract_tb(error.__traceback__) if (place := _place(frame.filename, frame.lineno))
    ]
    kind = "property" if isinstance(error, Violation) else "exception"
    return Problem(kind, places[-1] if places else "", f"{type(error).__name__}: {error}"[:500])


def fails_in_product(error: Exception) -> bool:
    """Whether the project's own code raised ``error``, not a library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames and _place(frames[-1].filename, frames[-1].lineno))


def place_in(dump: str) -> str:
    """The innermost place of the product in a traceback that `faulthandler` printed; empty if there is none."""
    found = (_place(file, int(line)) for file, line in _FRAME.findall(dump))
    return next(filter(None, found), "")


def _place(file: str, line: int | None) -> str:
    return f"{Path(file).relative_to(_ROOT)}:{line}" if file.startswith(_PRODUCT) else ""


@contextmanager
def _sampled() -> Iterator[collections.Counter[str]]:
    """Counts where in the product the process is, every 20 ms of CPU time."""
    frames: collections.Counter[str] = collections.Counter()

    def sample(number: int, frame: FrameType | None) -> None:
        while frame and not (place := _place(frame.f_code.co_filename, frame.f_lineno)):
            frame = frame.f_back
        if frame:
            frames[place] += 1

    before: Any = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S)
    try:
        yield frames
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _reset_peak() -> float:
    """Resets the kernel's record of the peak of resident memory; returns the present one, in MiB."""
    _RESET.write_text("5")
    return _peak()


def _peak() -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / MIB
