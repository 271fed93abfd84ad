"""Cores of a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retriton_serving.batching.cores import usable_cores

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", ALL), ("100000 100000", 1), ("50000 100000", 1), ("9900000 100000", ALL), ("", ALL)],
)
def test_a_quota_bounds_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert usable_cores(tmp_path / "cpu.max") == cores


def test_without_control_groups_all_are_usable(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "nothing") == ALL
