"""Runs NVIDIA's perf_analyzer, which sends load from many connections or at a rate without the cost of Python."""

from __future__ import annotations

import csv
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = Path(".venv-bench")  # with the `tritonclient` 2.50 wheel
SERVER_ENV = Path(".venv-server")  # its `nvidia-pytriton` contains libb64 and libcudart, which the binary links to
_WINDOWS = 3  # the minimum number of measurement windows
_STABILITY_PERCENT = "1000"  # disables the check for stability, so that the duration is fixed


@dataclass(frozen=True)
class Measured:
    """Results of one run of perf_analyzer."""

    texts_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Load:
    """A load of requests to one lane.

    The load is closed-loop, or open-loop if ``requests_per_s`` is set.

    Attributes:
        lane: name of the model.
        data: name of the file with the texts.
        texts: number of texts in a request.
        connections: number of callers, each of which waits for a response before the next request.
        requests_per_s: rate of requests at random times (Poisson), independent of responses.
    """

    lane: str
    data: str
    texts: int
    connections: int = 1
    requests_per_s: float = 0.0

    def shape(self) -> list[str]:
        """Returns the options of perf_analyzer."""
        if self.requests_per_s:
            return ["--request-rate-range", str(self.requests_per_s), "--request-distribution", "poisson", "--async"]
        return ["--concurrency-range", str(self.connections)]


class PerfAnalyzer:
    """Runs the binary against one server.

    Args:
        folder: folder for workloads, reports and logs.
        url: gRPC address of the server.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._binary = ENVIRONMENT / "bin" / "perf_analyzer"
        libraries = next(SERVER_ENV.glob("lib/python*/site-packages/nvidia_pytriton.libs"))
        self._folder = folder
        self._url = url
        links = folder / "lib"
        links.mkdir(exist_ok=True)
        for name, pattern in (("libb64.so.0d", "libb64-*"), ("libcudart.so.12", "libcudart-*")):
            link = links / name
            link.unlink(missing_ok=True)
            link.symlink_to(next(libraries.glob(pattern)).absolute())
        self._environ = {**os.environ, "LD_LIBRARY_PATH": str(links)}

    def measure(self, load: Load, seconds: float) -> Measured:
        """Sends requests for ``seconds``, after a warm-up that is not counted.

        The limit is a time, because perf_analyzer rounds the duration of runs with a limited number to whole seconds.
        """
        return self.start(load, *_for_seconds(seconds)).result()

    def send(self, load: Load, requests: int) -> None:
        """Sends ``requests`` requests and waits for their responses."""
        self.start(load, "--request-count", str(requests)).result()

    def measure_openai(
        self, data: str, connections: int, seconds: float, url: str = "", endpoint: str = "embeddings"
    ) -> Measured:
        """Sends the bodies in the file ``data`` to an OpenAI endpoint. The result counts requests, not texts.

        Args:
            data: name of the file with the bodies.
            connections: number of concurrent callers.
            seconds: duration.
            url: address of the endpoint; empty uses that of the server.
            endpoint: path of the endpoint.
        """
        command = [str(self._binary), "-m", "peer", "-u", url or self._url, "--service-kind", "openai"]
        command += ["--endpoint", endpoint, "--async", "--input-data", str(self._folder / f"{data}.json")]
        command += ["--concurrency-range", str(connections), *_for_seconds(seconds)]
        return self._run(command, data).result()

    def start(self, load: Load, *options: str) -> Run:
        """Starts the load with additional ``options`` of perf_analyzer."""
        command = [str(self._binary), "-m", load.lane, "-u", self._url, "-i", "grpc", "-b", str(load.texts)]
        command += ["--input-data", str(self._folder / f"{load.data}.json"), *load.shape(), *options]
        return self._run(command, load.lane)

    def _run(self, command: list[str], name: str) -> Run:
        report = self._folder / f"{name}.csv"
        report.unlink(missing_ok=True)
        log = (self._folder / "perf_analyzer.log").open("a")
        command = [*command, "-f", str(report), "--percentile", "99"]
        return Run(subprocess.Popen(command, env=self._environ, stdout=log, stderr=log), report)


def _for_seconds(seconds: float) -> list[str]:
    return ["-p", str(round(seconds / _WINDOWS * 1e3)), "-s", _STABILITY_PERCENT, "-r", str(_WINDOWS)]


class Run:
    """A running perf_analyzer."""

    def __init__(self, process: subprocess.Popen[bytes], report: Path) -> None:
        self._process = process
        self._report = report

    def stop(self) -> None:
        """Stops the run without a result."""
        self._process.kill()
        self._process.wait()

    def result(self) -> Measured:
        """Waits for the end of the run. Raises RuntimeError if requests failed."""
        if self._process.wait() or not self._report.exists():
            raise RuntimeError(f"perf_analyzer failed; see {self._report.parent}/perf_analyzer.log")
        with self._report.open() as stream:
            row = next(csv.DictReader(stream))
        p50, p95, p99 = (float(row[f"p{n} latency"]) / 1e3 for n in (50, 95, 99))
        return Measured(float(row["Inferences/Second"]), p50, p95, p99)
