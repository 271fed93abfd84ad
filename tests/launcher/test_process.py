from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from retriton_serving.launcher import RestartPolicy, SupervisedProcess

FAST = RestartPolicy(delay_s=0.01, delay_max_s=0.05)


def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def python(code: str, policy: RestartPolicy = FAST) -> SupervisedProcess:
    return SupervisedProcess("gateway", [sys.executable, "-c", code], {"GREETING": "hello"}, "Correct it.", policy)


def test_delays_double_up_to_a_limit() -> None:
    policy = RestartPolicy(delay_s=1, delay_max_s=10)
    assert [policy.delay(failures) for failures in range(7)] == [0, 1, 2, 4, 8, 10, 10]


def test_a_process_that_was_killed_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    process = python("import time; time.sleep(600)")
    process.start()
    process.start()  # once is enough
    try:
        until(lambda: process.pid)
        first = process.pid
        assert first
        os.kill(first, signal.SIGKILL)
        until(lambda: process.pid not in (None, first))
        assert "the gateway ended with code -9: starting it again" in caplog.text
    finally:
        process.stop(1.0)
    assert process.pid is None


def test_one_error_for_a_process_that_fails_to_start(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    process = python(f"import os, sys; open({str(starts)!r}, 'a').write(os.environ['GREETING'][0]); sys.exit(3)")
    process.start()
    until(lambda: starts.exists() and starts.stat().st_size >= 6)
    process.stop(1.0)
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert messages[:2] == ["the gateway ended with code 3: starting it again"] * 2
    assert len(messages) == 3
    assert "fails to start: it ended 3 times" in messages[2]
    assert "Correct it." in messages[2]


def test_a_stop_is_orderly_and_ends_what_ignores_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    trap = "import signal, time; signal.signal(signal.SIGTERM, {}); open({!r}, 'w'); time.sleep(600)"
    orderly = python(trap.format(f"lambda *_: open({str(tmp_path / 'done')!r}, 'w') and exit()", str(ready)))
    orderly.start()
    until(ready.exists)
    orderly.stop(5.0)
    assert (tmp_path / "done").exists()
    ready.unlink()
    stubborn = python(trap.format("signal.SIG_IGN", str(ready)))
    stubborn.start()
    until(ready.exists)
    pid = stubborn.pid
    assert pid
    stubborn.stop(-4.9)
    assert not psutil.pid_exists(pid)


def test_what_was_not_started_can_be_stopped() -> None:
    python("").stop(1.0)


LIMIT = """
import resource, sys
from retriton_serving.launcher.process import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
allow_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_of_open_files_is_raised_or_refused() -> None:
    raised = subprocess.run([sys.executable, "-c", LIMIT, "2048"], capture_output=True, text=True)
    assert raised.stdout == "2048\n"
    refused = subprocess.run([sys.executable, "-c", LIMIT, "64"], capture_output=True, text=True)
    assert "64 open files are allowed, a server needs 1024" in refused.stderr


def test_a_program_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    process = SupervisedProcess("gateway", ["/nowhere/program"], {}, "Correct it.", FAST)
    process.start()
    until(lambda: "the gateway fails to start" in caplog.text)
    process.stop(1.0)
    assert "/nowhere/program cannot be started" in caplog.text
