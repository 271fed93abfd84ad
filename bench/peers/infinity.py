"""Runs Infinity in its own environment."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from retriton_serving.launcher import free_ports

ENVIRONMENT = Path(".venv-peers-infinity")
MODEL = "peer"
_START_S = 120


class Infinity:
    """A running Infinity server, as a context manager.

    Args:
        checkpoint: folder of the checkpoint, which Infinity runs with PyTorch.
        log: file for its output.

    Raises:
        RuntimeError: the server did not start within 120 s.
    """

    def __init__(self, checkpoint: Path, log: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"127.0.0.1:{port}"
        command = [str(ENVIRONMENT / "bin" / "infinity_emb"), "v2", "--model-id", str(checkpoint), "--port", str(port)]
        command += ["--served-model-name", MODEL, "--engine", "torch", "--device", "cpu", "--host", "127.0.0.1"]
        command += ["--no-bettertransformer", "--no-model-warmup", "--log-level", "error"]
        environ = {**os.environ, "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}
        with log.open("wb") as stream:
            self._process = subprocess.Popen(command, env=environ, stdout=stream, stderr=stream)
        self._log = log

    def __enter__(self) -> Infinity:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"http://{self.url}/health", trust_env=False).is_success:
                    return self
            except httpx.TransportError:
                time.sleep(0.2)
        self.__exit__(None, None, None)
        raise RuntimeError(f"Infinity did not start; see {self._log}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Embeds texts: float32 ``[texts, dimension]``."""
        answer = httpx.post(
            f"http://{self.url}/embeddings", json=payload(texts), timeout=60, trust_env=False
        ).raise_for_status()
        return np.array([item["embedding"] for item in answer.json()["data"]], np.float32)


def payload(texts: list[str]) -> dict[str, Any]:
    """Builds the body of a request."""
    return {"model": MODEL, "input": texts}
