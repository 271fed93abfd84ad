"""Where `tritonserver` comes from: the `nvidia-pytriton` wheel, or a full installation of Triton."""

from __future__ import annotations

import os
from pathlib import Path

from retriton_serving.launcher.environment import triton_environ
from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.interpreter import Interpreter

_PACKAGE = Path(__file__).parent.parent  # retriton_serving


class TritonWheel:
    """The server inside the `nvidia-pytriton` wheel of a virtual environment of its own.

    Args:
        environment: that environment, from `ensure_server_env`; its packages are those that `model.py` files import.

    Raises:
        LaunchError: the environment, the wheel, the stub for its Python, or the shared libpython is missing.
    """

    def __init__(self, environment: Path) -> None:
        environment = environment.absolute()
        python = environment / "bin" / "python"
        create = f"create one with: retriton setup --server-env {environment}"
        if not python.exists():
            raise LaunchError(f"there is no server environment in {environment}: {create}")
        interpreter = Interpreter.of(python)
        packages = environment / "lib" / f"python{interpreter.version}" / "site-packages"
        self._environment = environment
        self._server = packages / "pytriton" / "tritonserver"
        self._libraries = packages / "nvidia_pytriton.libs"
        self._libpython_folder = interpreter.library_folder
        self._stub = self._server / "python_backend_stubs" / interpreter.version / "triton_python_backend_stub"
        if not self._stub.exists():
            raise LaunchError(
                f"{environment} has no Triton for Python {interpreter.version}: remove that folder and {create}"
            )
        interpreter.check()

    def command(self, scratch: Path) -> list[str]:
        """The server with its folders.

        The wheel keeps the Python backend in parts; links in ``scratch`` bring them together. This package is linked
        beside them: the stub's interpreter ignores PYTHONPATH, but imports from the folder of the backend.
        """
        backend = scratch / "backends" / "python"
        backend.mkdir(parents=True)
        for part in (self._server / "backends" / "python").glob("*.*"):
            (backend / part.name).symlink_to(part)
        (backend / self._stub.name).symlink_to(self._stub)
        (backend / _PACKAGE.name).symlink_to(_PACKAGE)  # the models run the launcher's own version of this code
        return [
            str(self._server / "bin" / "tritonserver"),
            f"--backend-directory={backend.parent}",
            f"--cache-directory={self._server / 'caches'}",
        ]

    def environ(self, scratch: Path) -> dict[str, str]:
        """The stub finds its environment through PATH, and its libraries through LD_LIBRARY_PATH."""
        return {
            **triton_environ(),
            "PATH": f"{self._environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "LD_LIBRARY_PATH": f"{self._libraries}{os.pathsep}{self._libpython_folder}",
        }


class TritonInstallation:
    """A full Triton, as in NVIDIA's container; `retriton[triton]` is installed for its Python.

    Args:
        binary: its ``tritonserver``.

    Raises:
        LaunchError: there is no such file.
    """

    def __init__(self, binary: Path) -> None:
        if not binary.is_file():
            raise LaunchError(f"there is no tritonserver at {binary}")
        self._binary = binary

    def command(self, scratch: Path) -> list[str]:
        """The server, which knows its folders."""
        return [str(self._binary)]

    def environ(self, scratch: Path) -> dict[str, str]:
        """What Triton needs of the caller's own environment."""
        return triton_environ()
