"""What a server leaves behind when it is killed, and who may remove it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from retriton_serving.launcher import LaunchError, scratch

OWNER = """
import subprocess, sys
from retriton_serving.launcher.scratch import Scratch
made = Scratch()
open(f"/dev/shm/{made.region_prefix}region", "w").close()
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0, pass_fds=[made.lock])
print(made.folder, made.region_prefix, child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path


def test_what_a_killed_server_left_is_removed_when_its_last_process_has_ended(temporary: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdin
    assert owner.stdout
    name, prefix, _ = owner.stdout.readline().split()
    folder, region = Path(name), scratch.SHARED_MEMORY / f"{prefix}region"
    scratch.sweep()
    assert folder.exists()
    owner.kill()
    owner.wait(10)
    scratch.sweep()  # its child still runs
    assert folder.exists()
    assert region.exists()
    owner.stdin.close()
    owner.stdout.read()  # until the child has ended
    owner.stdout.close()
    scratch.sweep()
    assert not folder.exists()
    assert not region.exists()


def test_what_belongs_to_others_is_left(temporary: Path) -> None:
    mine = scratch.Scratch()
    foreign = temporary / "retriton-serve-without-a-lock"
    foreign.mkdir()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "lock").write_text("")
    (temporary / "retriton-serve-link").symlink_to(temporary / "elsewhere")
    region = scratch.SHARED_MEMORY / f"unrelated-{uuid.uuid4().hex}"
    region.touch()
    (temporary / "retriton-serve-forged").mkdir()
    (temporary / "retriton-serve-forged" / "lock").write_text("unrelated-")
    try:
        scratch.sweep()
        assert mine.folder.exists()
        assert foreign.exists()
        assert (temporary / "elsewhere" / "lock").exists()
        assert region.exists()
    finally:
        region.unlink()
        mine.remove()
    assert not mine.folder.exists()


def test_a_temporary_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(LaunchError, match="missing.*TMPDIR"):
        scratch.Scratch()
