"""Child processes: started so that they end with this one, and kept running."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from retriton_serving.launcher.errors import LaunchError

log = logging.getLogger("retriton.serve")
FILES_MIN, FILES_MAX = 1024, 65_536  # open files of a process
_PR_SET_PDEATHSIG = 1
_NOT_STARTED = 126  # exit code that shells give to a program that cannot be started
_KILL_AFTER_S = 5.0  # beyond the time that a process was given to stop


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Runs in the child before exec: the kernel signals it when the thread that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def start_process(
    command: Sequence[str],
    env: Mapping[str, str],
    output: IO[bytes] | int | None = None,
    pass_fds: Sequence[int] = (),
    parent_death: signal.Signals = signal.SIGTERM,
    file_bytes_max: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own: Ctrl-C reaches this process only, which stops the child in order.

    Args:
        command: program and arguments.
        env: all of its environment variables.
        output: where its output goes; None is this process's own.
        pass_fds: file descriptors that it inherits.
        parent_death: signal that it gets when this process is killed.
        file_bytes_max: the largest file that it may write, shared memory included; None for no limit.

    Raises:
        LaunchError: the system cannot start it.
    """

    def before_exec() -> None:
        die_with_parent(parent_death)
        if file_bytes_max is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

    try:
        return subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=before_exec if sys.platform == "linux" else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(f"{command[0]} cannot be started: {error}") from None


def start_guard(group: int) -> subprocess.Popen[bytes]:
    """Starts a process that kills a process group when this process is killed.

    The kernel signals only the child of this process. The processes of Triton's models, which are children of that, can
    wait forever for an answer of the dead Triton, and then do not run Python code that could end them.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read _; kill -9 "-$0"', str(group)],
        stdin=subprocess.PIPE,  # closed by the kernel when this process ends
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_guard(guard: subprocess.Popen[bytes]) -> None:
    """Ends a guard before its group is: the id of a group that has ended can be used again."""
    guard.kill()
    guard.wait()
    if guard.stdin:
        guard.stdin.close()


def allow_open_files() -> None:
    """Raises the limit of open files to what the system allows; child processes inherit it.

    Raises:
        LaunchError: the system allows too few: Triton would accept no connections, and never say so.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if allowed < FILES_MIN:
        raise LaunchError(f"{allowed} open files are allowed, a server needs {FILES_MIN}: raise the limit (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


@dataclass(frozen=True)
class RestartPolicy:
    """When a process that ended is started again.

    Attributes:
        quick_s: a process that ends sooner has failed to start.
        failures_max: failures in a row after which an error is logged, and further ones are not.
        delay_s: wait after the first failure; it doubles with each further one.
        delay_max_s: the longest wait.
    """

    quick_s: float = 10.0
    failures_max: int = 3
    delay_s: float = 1.0
    delay_max_s: float = 60.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.delay_s * 2.0 ** (failures - 1), self.delay_max_s) if failures else 0.0


class SupervisedProcess:
    """Keeps one process running, in a thread of its own, until it is stopped.

    Args:
        name: for messages, such as ``gateway``.
        command: program and arguments.
        environ: variables besides this process's own.
        advice: ends the message about a process that fails to start.
        policy: when it is started again.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        advice: str = "",
        policy: RestartPolicy | None = None,
    ) -> None:
        self._name = name
        self._command = command
        self._environ = {**os.environ, **environ}
        self._advice = advice
        self._policy = policy or RestartPolicy()
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # held to start a process, and to signal it
        self._process: subprocess.Popen[bytes] | None = None
        # The kernel ends the child with the thread that started it, so the same thread waits for the child.
        self._thread = threading.Thread(target=self._run, name=f"supervise-{name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the process that runs now; None where none does."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        """Starts the process and keeps it running; does nothing where it is started already."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self, grace_s: float) -> None:
        """Sends SIGTERM, waits at most ``grace_s`` (and 5 s for the exit), then kills. Does nothing if not started."""
        self._stopping.set()
        if self._thread.ident is None:
            return
        self._signal(signal.SIGTERM)
        self._thread.join(grace_s + _KILL_AFTER_S)
        if self._thread.is_alive():
            self._signal(signal.SIGKILL)
            self._thread.join()

    def _signal(self, number: signal.Signals) -> None:
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self._process:
                self._process.send_signal(number)

    def _run(self) -> None:
        failures = 0
        while True:
            with self._lock:
                if self._stopping.is_set():
                    return
                started_s = time.monotonic()
                code = self._start()
            if self._process:
                code = self._process.wait()
            if self._stopping.is_set():
                return
            failures = failures + 1 if time.monotonic() - started_s < self._policy.quick_s else 0
            self._report(code, failures)
            if self._stopping.wait(self._policy.delay(failures)):
                return

    def _start(self) -> int:
        """Starts the process; returns the code of a shell for a program that the system cannot start."""
        self._process = None
        try:
            self._process = start_process(self._command, self._environ)
        except LaunchError as error:
            log.error("%s", error)
        return _NOT_STARTED

    def _report(self, code: int, failures: int) -> None:
        if failures < self._policy.failures_max:
            log.error("the %s ended with code %d: starting it again", self._name, code)
        elif failures == self._policy.failures_max:
            log.error(
                "the %s fails to start: it ended %d times within %g s, last with code %d. %s "
                "Further attempts follow, at most one in %g s, and are not logged.",
                self._name,
                failures,
                self._policy.quick_s,
                code,
                self._advice,
                self._policy.delay_max_s,
            )
