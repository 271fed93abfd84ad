"""The fuzzers themselves: every reader is a target, seeds are valid, and what is slow, large or wrong is found."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz.containers import ZIP
from fuzz.findings import Findings
from fuzz.growth import search_growth
from fuzz.measuring import Problem, measured
from fuzz.mutation import bytes_changed, mutated, repeated
from fuzz.seeds import valid
from fuzz.seeds.attacks import ATTACKS
from fuzz.target import Bound, Target, Violation
from fuzz.targets import NAMES, target_of

from retriton_pipeline.documents import SUFFIXES, load_document
from retriton_pipeline.documents.languages import LANGUAGES
from retriton_pipeline.documents.records.reader import RECORD_SUFFIXES
from retriton_pipeline.documents.registry import READERS
from tests.conftest import ROOT


def test_every_reader_is_a_target_with_attacks() -> None:
    languages = {suffixes[0] for suffixes in LANGUAGES.values()} - {".py"}  # which the same reader reads
    read = {reader.suffixes[0] for reader in READERS} - languages | set(RECORD_SUFFIXES) - {".ndjson"}  # as .jsonl
    assert read == set(valid.FILES) == set(ATTACKS)
    assert read <= set(SUFFIXES)
    assert {suffix[1:] for suffix in read} <= set(NAMES)


@pytest.mark.parametrize("suffix", valid.FILES)
def test_valid_files_are_read(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(valid.FILES[suffix]())
    assert load_document(tmp_path / f"a{suffix}").blocks


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("http", "grpc", "filters")])
def test_targets_accept_their_seeds_and_mutations_of_them(name: str) -> None:
    target, draw = target_of(name), random.Random(1)
    for seed in target.seeds().values():
        target.run(seed)
        changed = {mutated(seed, target.container, target.words, draw, 65536, bytes_changed(draw)) for _ in range(10)}
        assert changed - {seed}


def toy(run: Callable[[bytes], None], seed: bytes = b"a b c") -> Target:
    return Target(
        "toy", run, lambda: {"seed": seed}, bound=Bound(seconds=0.5, seconds_per_mib=0, mib=64, mib_per_mib=0)
    )


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def fails(raw: bytes) -> None:
    raise Violation("no")


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (lambda raw: None, None),
        (fails, "property"),
        (lambda raw: json.loads(b"{"), "exception"),
        (lambda raw: burn(0.6), "time"),
        (lambda raw: len(b"0" * 128 * 1024**2) and None, "memory"),
    ],
)
def test_problems_have_their_kind(run: Callable[[bytes], None], kind: str | None) -> None:
    problem = measured(toy(run), b"x").problem
    assert (problem and problem.kind) == kind


def test_growth_finds_quadratic_time(tmp_path: Path) -> None:
    quadratic = Target(
        "toy",
        lambda raw: burn(4e-9 * raw.count(b"a") ** 2),
        lambda: {"seed": b"a b"},
        words=(b"a",),
        bound=Bound(seconds=60),
    )
    findings = Findings("toy", tmp_path)
    search_growth(quadratic, findings, 3, random.Random(2))
    assert {json.loads(file.read_text())["kind"] for file in (tmp_path / "toy").glob("*.json")} == {"growth"}


def test_repetitions_reach_into_archives() -> None:
    grown = repeated(ZIP.pack({"a.xml": b"<a><b>x</b></a>"}), ZIP, (), random.Random(4))
    assert grown
    (small,), (large,) = (ZIP.unpack(grown(size)).values() for size in (1000, 4000))
    assert 3.5 < len(large) / len(small) < 4.5


def test_a_finding_is_saved_once_with_its_replay(tmp_path: Path) -> None:
    findings = Findings("txt", tmp_path)
    saved = findings.add(b"x", Problem("time", "a.py:1", "slow"))
    assert saved
    assert saved.read_bytes() == b"x"
    assert findings.add(b"y", Problem("time", "a.py:1", "slower")) is None
    about = json.loads(saved.with_suffix(".json").read_text())
    assert about["replay"] == f"python -m fuzz --replay {saved}"
    done = subprocess.run(
        [sys.executable, *about["replay"].split()[1:]],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("txt: 1 bytes")
