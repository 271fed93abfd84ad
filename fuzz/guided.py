"""Mutates inputs, guided by the coverage of the product: libFuzzer through atheris, where it is installed."""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fuzz.findings import Findings
from fuzz.measuring import measured
from fuzz.mutation import bytes_changed, mutated
from fuzz.target import Target

INPUT_BYTES_MAX = 64 * 1024
_SLACK = 5.0  # instrumented code is slower; the parent confirms findings without instrumentation
MODULES = ("retriton_pipeline", "retriton_client", "retriton_serving")
_KEPT_MAX = 256


def has_atheris() -> bool:
    """Whether coverage can guide the search."""
    return importlib.util.find_spec("atheris") is not None


@contextmanager
def instrumented() -> Iterator[None]:
    """Counts the coverage of the product's modules that are imported in the ``with`` block."""
    if not has_atheris():
        yield
        return
    import atheris

    with atheris.instrument_imports(include=list(MODULES)):
        yield


def search_guided(target: Target, findings: Findings, seconds: float, draw: random.Random) -> int:
    """Runs mutated inputs for ``seconds``; returns the number of executions. With atheris, the process ends instead."""
    if has_atheris() and target.in_process:
        _with_coverage(target, findings, seconds, draw)
    return _at_random(target, findings, seconds, draw)


def _run(target: Target, raw: bytes, findings: Findings, slack: float) -> None:
    findings.current.write_bytes(raw)
    if problem := measured(target, raw, slack).problem:
        findings.add(raw, problem, "found with instrumented code" if slack > 1 else "")


def _with_coverage(target: Target, findings: Findings, seconds: float, draw: random.Random) -> None:
    import atheris

    corpus = findings.current.parent / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds().values()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def mutate(raw: bytes, size_max: int, seed: int) -> bytes:
        draw.seed(seed)
        changed: bytes = mutated(raw, target.container, target.words, draw, INPUT_BYTES_MAX, atheris.Mutate)
        return changed if len(changed) <= size_max else raw

    options = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={2 * INPUT_BYTES_MAX}", "-timeout=600"]
    options += [
        "-rss_limit_mb=0",
        "-print_final_stats=1",
        "-len_control=0",
        f"-artifact_prefix={findings.current.parent}/",
    ]
    arguments = [sys.argv[0], *options, f"-seed={draw.randrange(1, 2**31)}", str(corpus)]
    atheris.Setup(arguments, lambda raw: _run(target, raw, findings, _SLACK), custom_mutator=mutate)
    atheris.Fuzz()


def _at_random(target: Target, findings: Findings, seconds: float, draw: random.Random) -> int:
    pool, executions, end = list(target.seeds().values()), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        raw = draw.choice(pool)
        for _ in range(draw.choice((1, 1, 2, 4))):
            raw = mutated(raw, target.container, target.words, draw, INPUT_BYTES_MAX, bytes_changed(draw))
        _run(target, raw, findings, 1.0)
        executions += 1
        if draw.random() < 0.02 and len(pool) < _KEPT_MAX:
            pool.append(raw)
    return executions
