"""NVIDIA's perf_analyzer: load from many connections or at a rate, without Python in the way."""

from __future__ import annotations

import csv
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = Path(".venv-bench")  # with the `tritonclient` 2.50 wheel
SERVER_ENV = Path(".venv-server")  # whose `nvidia-pytriton` brings libb64 and libcudart, which the binary links to
_WINDOWS = 3  # the fewest over which it averages
_ANY_STABILITY = "1000"  # percent: one measurement of a fixed length, whatever happens


@dataclass(frozen=True)
class Measured:
    """What perf_analyzer reports of one run."""

    texts_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Load:
    """What is sent: requests of ``texts`` texts of the file ``data`` to ``lane``.

    Either from ``connections`` callers that send one after the other, or ``requests_per_s`` at random times (Poisson),
    whether earlier ones were answered or not.
    """

    lane: str
    data: str
    texts: int
    connections: int = 1
    requests_per_s: float = 0.0

    def shape(self) -> list[str]:
        """The options of perf_analyzer."""
        if self.requests_per_s:
            return ["--request-rate-range", str(self.requests_per_s), "--request-distribution", "poisson", "--async"]
        return ["--concurrency-range", str(self.connections)]


class PerfAnalyzer:
    """Runs the binary against one server.

    Args:
        folder: for the files it reads and writes.
        url: the server's gRPC address.
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
        """Sends requests for ``seconds``, after a start that is not counted.

        By time and not by number: a run of a number of requests is taken to have lasted whole seconds.
        """
        return self.start(load, *_for_seconds(seconds)).result()

    def send(self, load: Load, requests: int) -> None:
        """Sends ``requests`` requests, and waits for them."""
        self.start(load, "--request-count", str(requests)).result()

    def measure_openai(
        self, data: str, connections: int, seconds: float, url: str = "", endpoint: str = "embeddings"
    ) -> Measured:
        """Sends the bodies in the file ``data`` to an OpenAI endpoint, of another ``url`` if one is given.

        Counts requests, not texts.
        """
        command = [str(self._binary), "-m", "peer", "-u", url or self._url, "--service-kind", "openai"]
        command += ["--endpoint", endpoint, "--async", "--input-data", str(self._folder / f"{data}.json")]
        command += ["--concurrency-range", str(connections), *_for_seconds(seconds)]
        return self._run(command, data).result()

    def start(self, load: Load, *options: str) -> Run:
        """Starts the load with more ``options`` of perf_analyzer."""
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
    return ["-p", str(round(seconds / _WINDOWS * 1e3)), "-s", _ANY_STABILITY, "-r", str(_WINDOWS)]


class Run:
    """A perf_analyzer that is running."""

    def __init__(self, process: subprocess.Popen[bytes], report: Path) -> None:
        self._process = process
        self._report = report

    def stop(self) -> None:
        """Ends it without a result."""
        self._process.kill()
        self._process.wait()

    def result(self) -> Measured:
        """Waits for the end; `RuntimeError` if requests failed."""
        if self._process.wait() or not self._report.exists():
            raise RuntimeError(f"perf_analyzer failed; see {self._report.parent}/perf_analyzer.log")
        with self._report.open() as stream:
            row = next(csv.DictReader(stream))
        p50, p95, p99 = (float(row[f"p{n} latency"]) / 1e3 for n in (50, 95, 99))
        return Measured(float(row["Inferences/Second"]), p50, p95, p99)
