"""Looks for cost that grows faster than the input: pieces of inputs are repeated more and more often."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from fuzz.findings import Findings
from fuzz.measuring import Measured, Problem, measured
from fuzz.mutation import repeated
from fuzz.target import Target

_FIRST_BYTES, _FACTOR, _BYTES_MAX = 4096, 4, 256 * 1024
_NOISE_S = 0.02  # shorter times say nothing about growth
_EXPONENT_MAX = 1.55
_SECONDS_MIN = 1.0  # growth that costs less than this at the largest size is none
_SECONDS_MAX = 8.0


def search_growth(target: Target, findings: Findings, seconds: float, draw: random.Random) -> int:
    """Repeats pieces of the seeds for ``seconds``; returns the number of executions."""
    seeds, executions, end = list(target.seeds().values()), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        if grown := repeated(draw.choice(seeds), target.container, target.words, draw):
            executions += _family(target, grown, findings)
    return executions


def _family(target: Target, grown: Callable[[int], bytes], findings: Findings) -> int:
    executions, size, before = 0, _FIRST_BYTES, None
    while size <= _BYTES_MAX:
        raw = grown(size)
        findings.current.write_bytes(raw)
        found = measured(target, raw)
        executions += 1
        if problem := found.problem or superlinear(before, found, size):
            findings.add(raw, problem)
            break
        if found.seconds < _NOISE_S and size > _FIRST_BYTES:
            break  # even if it grew with the square, the largest size would take a second
        size, before = size * _FACTOR, found
    return executions


def superlinear(before: Measured | None, now: Measured, size: int) -> Problem | None:
    """The problem, if the time of ``now`` for `_FACTOR` times the bytes of ``before`` is too much longer."""
    if before is None or before.seconds < _NOISE_S or now.seconds < _SECONDS_MIN:
        return None
    exponent = math.log(now.seconds / before.seconds, _FACTOR)
    if exponent < _EXPONENT_MAX:
        return None
    detail = (
        f"{before.seconds:.2f} s for {size // _FACTOR} bytes, {now.seconds:.2f} s for {size}: exponent {exponent:.2f}"
    )
    return Problem("growth", now.place, detail)
