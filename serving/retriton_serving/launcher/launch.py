"""Starts and stops a Triton server on this machine, from the `nvidia-pytriton` wheel or from a full installation.

Standard library only; it runs outside Triton.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from retriton_serving.contract import draining
from retriton_serving.launcher.options import ServerTls, restricted

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton's Python backend keeps its regions
ENCODER = "encoder"
_PACKAGE = Path(__file__).parent.parent  # retriton_serving
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own server is not behind a proxy
_PR_SET_PDEATHSIG = 1
_LAST_ANSWERS_S = 0.2  # for answers that are on their way to the network


class LaunchError(RuntimeError):
    """The server cannot be started, or it ended; the message says why and what to do."""


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens."""

    host: str = "127.0.0.1"
    grpc_port: int = 8001
    http_port: int = 8000
    metrics_port: int = 8002
    http_host: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "http_host", self.http_host or self.host)

    @classmethod
    def free(cls) -> Endpoint:
        """Three ports of the loopback interface that nobody uses now."""
        grpc_port, http_port, metrics_port = free_ports(3)
        return cls("127.0.0.1", grpc_port, http_port, metrics_port)

    @property
    def grpc_url(self) -> str:
        """``host:port`` for gRPC clients."""
        return f"{self.host}:{self.grpc_port}"

    @property
    def ready_url(self) -> str:
        """Triton's own readiness page."""
        return f"http://{self.http_host}:{self.http_port}/v2/health/ready"

    def check_free(self) -> None:
        """Raises `LaunchError` when one of the ports is taken."""
        for name in ("grpc_port", "http_port", "metrics_port"):
            option = "--" + name.replace("_", "-")
            check_port_free(self.host, getattr(self, name), f"or choose another with {option}.")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody uses now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def check_port_free(host: str, port: int, way_out: str) -> None:
    """Raises `LaunchError`, which ends with ``way_out``, when the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchError(
                f"cannot listen on {host}:{port}: {error.strerror}. Stop what uses that port, {way_out}"
            ) from None


class TritonWheel:
    """The server inside the `nvidia-pytriton` wheel of a virtual environment of its own.

    Args:
        environment: that environment; its packages are those that `model.py` files may import.

    Raises:
        LaunchError: the environment, the wheel, the stub for its Python, or the shared libpython is missing.
    """

    def __init__(self, environment: Path) -> None:
        environment = environment.absolute()
        python = environment / "bin" / "python"
        if not python.exists():
            raise LaunchError(f"no server environment in {environment}: run `make setup`, or name it with --server-env")
        version, libdir = subprocess.run(
            [
                python,
                "-c",
                "import sys, sysconfig as s; print('%d.%d' % sys.version_info[:2], s.get_config_var('LIBDIR'))",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        packages = environment / "lib" / f"python{version}" / "site-packages"
        self._environment = environment
        self._server = packages / "pytriton" / "tritonserver"
        self._libraries = packages / "nvidia_pytriton.libs"
        self._libpython_folder = Path(libdir)
        self._stub = self._server / "python_backend_stubs" / version / "triton_python_backend_stub"
        if not self._stub.exists():
            raise LaunchError(f"{environment} has no Triton for Python {version}: install nvidia-pytriton into it")
        _check_libpython(version, self._libpython_folder)

    def command(self, scratch: Path) -> list[str]:
        """The server with its folders; the wheel keeps the backend in parts, which meet in ``scratch``."""
        backend = scratch / "backends" / "python"
        backend.mkdir(parents=True)
        for part in (self._server / "backends" / "python").glob("*.*"):
            (backend / part.name).symlink_to(part)
        (backend / self._stub.name).symlink_to(self._stub)
        packages = scratch / "python"
        packages.mkdir()
        (packages / _PACKAGE.name).symlink_to(_PACKAGE)  # the models run the launcher's own version of this code
        return [
            str(self._server / "bin" / "tritonserver"),
            f"--backend-directory={backend.parent}",
            f"--cache-directory={self._server / 'caches'}",
        ]

    def environ(self, scratch: Path) -> dict[str, str]:
        """The stub finds its packages through PATH and PYTHONPATH, and its libraries through LD_LIBRARY_PATH."""
        return {
            **os.environ,
            "PYTHONPATH": str(scratch / "python"),
            "PATH": f"{self._environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "LD_LIBRARY_PATH": f"{self._libraries}{os.pathsep}{self._libpython_folder}",
        }


class TritonInstallation:
    """A full Triton, as in NVIDIA's container; its Python has the packages of `retriton[serving]`."""

    def __init__(self, binary: Path) -> None:
        if not binary.is_file():
            raise LaunchError(f"there is no tritonserver at {binary}")
        self._binary = binary

    def command(self, scratch: Path) -> list[str]:
        """The server; it knows its folders."""
        return [str(self._binary)]

    def environ(self, scratch: Path) -> dict[str, str]:
        """The caller's own environment."""
        return dict(os.environ)


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

    Raises:
        LaunchError: a port is taken, or the encoder has no such variant.
    """

    def __init__(
        self,
        triton: TritonWheel | TritonInstallation,
        model_repository: Path,
        endpoint: Endpoint,
        log: IO[bytes] | None = None,
        variant: str | None = None,
        tls: ServerTls | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        endpoint = replace(endpoint, http_host="127.0.0.1" if tls else endpoint.http_host)
        endpoint.check_free()
        self.endpoint = endpoint
        self._config = _encoder_config(model_repository, variant)
        self._log = log
        self._region_prefix = f"retriton_{uuid.uuid4().hex[:12]}_"
        self._scratch = Path(tempfile.mkdtemp(prefix="retriton-"))
        self._process = subprocess.Popen(
            [
                *triton.command(self._scratch),
                f"--model-repository={model_repository.resolve()}",
                f"--grpc-address={endpoint.host}",
                f"--grpc-port={endpoint.grpc_port}",
                f"--http-address={endpoint.http_host}",
                f"--http-port={endpoint.http_port}",
                f"--metrics-address={endpoint.host}",
                f"--metrics-port={endpoint.metrics_port}",
                "--disable-auto-complete-config",  # the configurations are complete, and it loads every model twice
                f"--backend-config=python,shm-region-prefix-name={self._region_prefix}",
                *([f"--model-config-name={variant}"] if variant else []),
                *restricted(),
                *(tls.options() if tls else []),
                *options,
            ],
            env={**triton.environ(self._scratch), draining.FOLDER_VARIABLE: str(self._scratch)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours to turn into an orderly stop
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )

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
        if grace_s > 0 and draining.order(self._scratch, grace_s, is_alive=lambda: self._process.poll() is None):
            time.sleep(_LAST_ANSWERS_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for region in SHARED_MEMORY.glob(f"{self._region_prefix}*"):
            region.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _check_backend(self) -> None:
        """Triton takes ``config.pbtxt`` without a word where it does not find the variant."""
        url = f"http://{self.endpoint.http_host}:{self.endpoint.http_port}/v2/models/{ENCODER}/config"
        with _DIRECT.open(url, timeout=10) as answer:
            served = json.load(answer)["backend"]
        if served != (wanted := _backend(self._config)):
            raise LaunchError(f"Triton serves the encoder with its backend {served}, {self._config} asks for {wanted}")

    def _log_hint(self) -> str:
        name = getattr(self._log, "name", None)
        if not isinstance(name, str):
            return ""
        lines = [
            line for line in Path(name).read_text(errors="replace").splitlines() if line.startswith(("E", "error"))
        ]
        return f"; its log is {name}" + "".join("\n  " + line for line in lines[-5:])


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


def _check_libpython(version: str, folder: Path) -> None:
    library = f"libpython{version}.so.1.0"
    if (folder / library).exists():
        return
    try:
        ctypes.CDLL(library)
    except OSError:
        raise LaunchError(
            f"Triton's Python backend needs {library}. On Debian and Ubuntu: apt-get install libpython{version}"
        ) from None


def die_with_parent() -> None:
    """Runs in the child before exec: the kernel stops it when this process is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
