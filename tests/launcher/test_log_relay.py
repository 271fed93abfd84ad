from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from retriton_serving.launcher.log_relay import LogRelay

FAILED = (
    "E1127 01:00:00.000000 1 model_lifecycle.cc:654] \"failed to load 'encoder' version 1: "
    'Internal: RuntimeError: cannot parse \\"model.onnx\\"\\n\\nAt:\\n  /x/encoder.py(41): initialize\\n"\n'
)


def relay(lines: bytes, target: Path) -> LogRelay:
    with target.open("wb", buffering=0) as file:
        copying = LogRelay(file)
        end = os.dup(copying.write_end)
        copying.start()
    os.write(end, lines)  # after the target was closed here
    os.close(end)
    copying.join(10)
    return copying


def test_lines_are_passed_on_and_reasons_found(tmp_path: Path) -> None:
    output = (
        b"I1127 fine\n"
        + FAILED.encode()
        + b'E1127 01:00:00.000000 1 main.cc:1] "creating server: failed to load all models"\n'
    )
    copied = relay(output, tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == output
    assert copied.reasons() == ['encoder: Internal: RuntimeError: cannot parse "model.onnx"']


def test_a_full_disk_is_reported_once_and_the_writer_is_not_blocked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        copied = relay(b"error: first\n" * 5000, Path("/dev/full"))
    assert copied.reasons()[-1] == "error: first"
    assert [record.getMessage() for record in caplog.records] == [
        "the output of Triton is dropped while it cannot be written: No space left on device"
    ]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    relay(b"I1127 fine\n", tmp_path / "log")
    with (tmp_path / "log").open("wb") as file:
        LogRelay(file).discard()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
