"""Runs a search in its own process, watches it, and starts it again after a crash or a hang."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from fuzz.findings import Findings
from fuzz.measuring import Problem, place_in

_HANG_S = 30.0  # of CPU time on one input
_MEMORY_MIB_MAX = 4096
_POLL_S = 0.5
_REPLAY_S = 120.0
_START_S = 180.0  # until a service runs and the first input is executed
_COVERAGE = re.compile(r"cov: (\d+)")
_EXECUTIONS = re.compile(r"stat::number_of_executed_units: (\d+)|#(\d+)\t|\"executions\": (\d+)")


@dataclass
class Result:
    """The outcome of a search.

    Attributes:
        seconds: its duration.
        executions: of the target; a lower bound if the process ended by a crash.
        coverage: edges of the product's code that were reached; None if it was not measured.
        findings: one line each.
    """

    seconds: float = 0.0
    executions: int = 0
    coverage: int | None = None
    findings: list[str] = field(default_factory=list)


def run_search(name: str, search: str, seconds: float, seed: int, folder: Path) -> Result:
    """Searches for ``seconds``. A process that crashes or hangs is a finding, and another one goes on."""
    findings, result, start, attempt = Findings(name, folder), Result(), time.monotonic(), 0
    findings.forget_attempts()
    before = set(findings.current.parent.glob("*.json"))
    while (left := seconds - (time.monotonic() - start)) > 1 or not attempt:
        findings.current.unlink(missing_ok=True)
        log = findings.current.with_name(f"{search}.log")
        problem = _run(name, search, max(left, 1.0), seed + attempt, folder, log)
        _count(log.read_text(errors="replace"), result)
        attempt += 1
        if problem is None:
            break
        if not findings.current.exists():
            raise RuntimeError(f"the worker ended before its first input: see {log}")
        _save(Findings(name, folder), search, problem)
    if search == "attacks":
        result.executions = len(findings.attempted())
    result.seconds = time.monotonic() - start
    new = sorted(set(findings.current.parent.glob("*.json")) - before)
    result.findings = [_line(file) for file in new if _is_confirmed(file)]
    return result


def _run(name: str, search: str, seconds: float, seed: int, folder: Path, log: Path) -> Problem | None:
    command = [sys.executable, "-m", "fuzz.worker", name, search, f"{seconds:.1f}", str(seed), str(folder)]
    with log.open("wb") as output:
        process = psutil.Popen(command, stdout=output, stderr=output)
    problem = _watch(process, log.with_name("current"), seconds + _START_S)
    return replace(problem, place=place_in(log.read_text(errors="replace"))) if problem else None


def _save(findings: Findings, search: str, problem: Problem) -> None:
    raw = findings.current.read_bytes() if findings.current.exists() else b""
    attack = f"attack: {findings.attempted()[-1]}" if search == "attacks" and findings.attempted() else ""
    findings.add(raw, problem, attack, len(raw) if attack else None)


def _is_confirmed(about: Path) -> bool:
    """Whether a finding of instrumented code, which is slower, is one without instrumentation; others are."""
    found = json.loads(about.read_text())
    if "instrumented" not in found["note"] or found["kind"] not in ("time", "memory"):
        return True
    command = [sys.executable, "-m", "fuzz", "--replay", str(about.with_suffix(""))]
    try:
        if subprocess.run(command, capture_output=True, timeout=_REPLAY_S, check=False).returncode:
            return True
    except subprocess.TimeoutExpired:
        return True
    about.unlink()
    about.with_suffix("").unlink(missing_ok=True)
    return False


def _watch(process: psutil.Popen, current: Path, seconds: float) -> Problem | None:
    """Waits for the end of a search; what is wrong, if it crashes, hangs on one input, or takes too much memory."""
    end, cpu_s, modified = time.monotonic() + seconds, 0.0, 0.0
    while process.poll() is None:
        time.sleep(_POLL_S)
        try:
            used_s, mib = sum(process.cpu_times()[:2]), process.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            continue
        if (now := current.stat().st_mtime if current.exists() else 0.0) != modified:
            modified, cpu_s = now, used_s
        if used_s - cpu_s > _HANG_S and modified:
            return _killed(process, Problem("hang", "", f"more than {_HANG_S:g} s of CPU time"))
        if mib > _MEMORY_MIB_MAX:
            return _killed(process, Problem("memory", "", f"more than {_MEMORY_MIB_MAX} MiB of memory"))
        if time.monotonic() > end:
            return _killed(process, None)
    return None if process.returncode == 0 else Problem("crash", "", f"the process ended with {process.returncode}")


def _killed(process: psutil.Popen, problem: Problem | None) -> Problem | None:
    process.send_signal(signal.SIGUSR1)  # prints where it is
    time.sleep(_POLL_S)
    process.kill()
    process.wait()
    return problem


def _count(log: str, result: Result) -> None:
    numbers = [int(next(filter(None, groups))) for groups in _EXECUTIONS.findall(log)]
    result.executions += max(numbers, default=0)
    if covered := _COVERAGE.findall(log):
        result.coverage = max(result.coverage or 0, *map(int, covered))


def _line(about: Path) -> str:
    found = json.loads(about.read_text())
    return f"{found['kind']} {found['place']}: {found['detail']} ({found['note'][:80]}); {found['replay']}"
