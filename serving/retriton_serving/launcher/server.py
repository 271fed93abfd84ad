"""Starts and stops one Triton server on this machine."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO

from retriton_serving.contract.draining import request_drain
from retriton_serving.contract.models import ENCODER, RERANK, process_name
from retriton_serving.contract.variables import DRAIN_FOLDER, START_SECRET
from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.installation import TritonInstallation, TritonWheel
from retriton_serving.launcher.lane_processes import lane_processes, with_processes
from retriton_serving.launcher.log_relay import LogRelay
from retriton_serving.launcher.options import ServerTls, restricted
from retriton_serving.launcher.ports import Endpoint, address, bracketed
from retriton_serving.launcher.process import end_guard, start_guard, start_process
from retriton_serving.launcher.repository import installed_models
from retriton_serving.launcher.scratch import Scratch

logger = logging.getLogger("retriton.serve")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a server of this machine is behind no proxy
# Triton accepts messages of 2 GB; the shared memory of a model grows to the largest, and never shrinks. Its processes
# write no other file. Those of a full Triton do (engines of TensorRT), and its container bounds the shared memory.
_REGION_BYTES_MAX = 256 * 2**20
_LAST_ANSWERS_S = 0.2  # for answers that are on their way to the network


class TritonServer:
    """A running server. Use it as a context manager, or call `stop`.

    Args:
        triton: what to run.
        model_repository: what to serve.
        endpoint: where to listen.
        log: where the server's output goes; None is this process's own.
        variant: which ``configs/<variant>.pbtxt`` of each model is served, where it has one; None is ``config.pbtxt``.
        tls: encrypts gRPC; Triton's HTTP is then for this machine alone.
        options: more arguments for ``tritonserver``.
        environ: variables besides this process's own.

    Attributes:
        endpoint: where it listens.
        models: manifests of what it serves, the encoder first.
        secret: of this start; requests that carry it are trusted (`contract.trust`).

    Raises:
        LaunchError: a port is taken, the encoder has no such variant, a file of a model is missing, cut off or
            unreadable, or the process cannot be started.
    """

    def __init__(
        self,
        triton: TritonWheel | TritonInstallation,
        model_repository: Path,
        endpoint: Endpoint,
        log: IO[bytes] | None = None,
        variant: str | None = None,
        tls: ServerTls | None = None,
        options: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        endpoint = replace(endpoint, http_host="127.0.0.1" if tls else endpoint.http_host)
        endpoint.check_free()
        self.endpoint = endpoint
        self.models = installed_models(model_repository)
        self._config = _encoder_config(model_repository, variant)
        self._lanes = lane_processes(model_repository, variant)
        self._reranks = len(self.models) > 1
        self._log = log
        self.secret = secrets.token_hex(16)
        self._scratch = Scratch()
        self._output = LogRelay(log)
        arguments = [
            f"--grpc-address={bracketed(endpoint.host)}",
            f"--grpc-port={endpoint.grpc_port}",
            f"--http-address={_libevent(endpoint.http_host)}",
            f"--http-port={endpoint.http_port}",
            f"--metrics-address={_libevent(endpoint.host)}",
            f"--metrics-port={endpoint.metrics_port}",
            "--disable-auto-complete-config",  # the configurations are complete, and it loads every model twice
            f"--backend-config=python,shm-region-prefix-name={self._scratch.region_prefix}",
            *([f"--model-config-name={variant}"] if variant else []),
            *restricted(),
            *(tls.options() if tls else []),
            *options,
        ]
        self._process = self._start(triton, model_repository, variant, arguments, environ or {})

    def _start(
        self,
        triton: TritonWheel | TritonInstallation,
        model_repository: Path,
        variant: str | None,
        arguments: Sequence[str],
        environ: Mapping[str, str],
    ) -> subprocess.Popen[bytes]:
        folder = self._scratch.folder
        try:
            served = with_processes(model_repository, self._lanes, variant, folder)
            process = start_process(
                [*triton.command(folder), f"--model-repository={served.resolve()}", *arguments],
                {**triton.environ(folder), **environ, DRAIN_FOLDER: str(folder), START_SECRET: self.secret},
                self._output.write_end,
                pass_fds=(self._scratch.lock,),
                parent_death=signal.SIGKILL,  # Triton's orderly stop waits for requests that nobody supervises
                file_bytes_max=_REGION_BYTES_MAX if isinstance(triton, TritonWheel) else None,
            )
        except BaseException as error:
            self._output.discard()
            self._scratch.remove()
            if isinstance(error, OSError):
                raise LaunchError(f"{folder} cannot be written: {error}. Name another with TMPDIR") from None
            raise
        self._output.start()
        self._guard = start_guard(process.pid)
        return process

    def __enter__(self) -> TritonServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of ``tritonserver``."""
        return self._process.pid

    def wait_ready(self, timeout_s: float = 120.0) -> None:
        """Returns when all models are ready, and the encoder is served by the backend that was asked for.

        Raises:
            LaunchError: the server ended, or the time did, or another backend serves the encoder.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if (code := self._process.poll()) is not None:
                raise LaunchError(f"tritonserver ended with code {code} while it started{self._log_hint()}")
            try:
                with _DIRECT.open(self.endpoint.ready_url, timeout=1):
                    if self._process.poll() is None:  # else another server answers on this port
                        break
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.05)
        else:
            raise LaunchError(f"tritonserver was not ready within {timeout_s:g} s{self._log_hint()}")
        self._check_backend()

    def exit_code(self) -> int | None:
        """The exit code of a server that ended, None of one that runs."""
        return self._process.poll()

    def stop(self, grace_s: float = 30.0) -> None:
        """Lets the server finish what it has accepted, for at most ``grace_s``, and frees what it held.

        Meanwhile it refuses what is new with a retryable status. It is killed in the end, since an orderly stop of
        Triton answers with NOT_FOUND while it unloads, and waits long for processes that are dead already.
        """
        try:
            if grace_s > 0 and self._drained(grace_s):
                time.sleep(_LAST_ANSWERS_S)
        finally:  # also when Ctrl-C ends the wait
            end_guard(self._guard)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._output.join()
            self._scratch.remove()

    def _drained(self, grace_s: float) -> bool:
        processes = [
            process_name(lane, number)
            for lane, count in self._lanes.items()
            if lane != RERANK or self._reranks
            for number in range(count)
        ]
        try:
            return request_drain(self._scratch.folder, grace_s, processes, lambda: self._process.poll() is None)
        except OSError as error:
            logger.warning("the server cannot be told to drain: %s", error)
            return False

    def _check_backend(self) -> None:
        """Triton takes ``config.pbtxt`` without a word where it does not find the variant."""
        url = f"http://{address(self.endpoint.http_host, self.endpoint.http_port)}/v2/models/{ENCODER}/config"
        try:
            with _DIRECT.open(url, timeout=10) as answer:
                served = json.load(answer)["backend"]
        except (OSError, ValueError) as error:  # it ended meanwhile
            raise LaunchError(f"tritonserver did not return its configuration: {error}{self._log_hint()}") from error
        if served != (wanted := _backend(self._config)):
            raise LaunchError(f"Triton serves the encoder with its backend {served}, {self._config} asks for {wanted}")

    def _log_hint(self) -> str:
        self._output.join(0.0 if self._process.poll() is None else 2.0)
        name = getattr(self._log, "name", None)
        place = f"; its log is {name}" if isinstance(name, str) else ""
        return place + "".join("\n  " + reason for reason in self._output.reasons())


def _encoder_config(model_repository: Path, variant: str | None) -> Path:
    folder = model_repository / ENCODER
    config = folder / "configs" / f"{variant}.pbtxt" if variant else folder / "config.pbtxt"
    if not config.is_file():
        known = ", ".join(sorted(path.stem for path in (folder / "configs").glob("*.pbtxt")))
        raise LaunchError(f"there is no {config}; variants of the encoder are {known}")
    return config


def _backend(config: Path) -> str:
    match = re.search(r'^backend: "(\w+)"', config.read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise LaunchError(f"{config} names no backend")
    return match[1]


def _libevent(host: str) -> str:
    """``host`` as the HTTP library of Triton reads addresses."""
    return f"ipv6:{host}" if ":" in host else host
