from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.client.forking import SCENARIOS
from tests.client.scripted_server import running
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    with running(lambda texts, number: None) as (url, _):
        yield url


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_a_child_works_or_is_told_why_not_and_never_hangs(scenario: str, scripted: str) -> None:
    program = [sys.executable, "-m", "tests.client.forking", scenario, scripted]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
