"""NVIDIA's perf_analyzer: closed-loop load from many connections, without Python in the way."""

from __future__ import annotations

import csv
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What perf_analyzer reports of one run."""

    texts_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class PerfAnalyzer:
    """Runs the binary of the `tritonclient` 2.50 wheel.

    Args:
        environment: the virtual environment with that wheel.
        libraries: where `nvidia-pytriton` keeps libb64 and libcudart, which the binary links to.
        folder: for the files it reads and writes.
        url: the server's gRPC address.
    """

    def __init__(self, environment: Path, libraries: Path, folder: Path, url: str) -> None:
        self._binary = environment / "bin" / "perf_analyzer"
        self._folder = folder
        self._url = url
        links = folder / "lib"
        links.mkdir(exist_ok=True)
        for name, pattern in (("libb64.so.0d", "libb64-*"), ("libcudart.so.12", "libcudart-*")):
            link = links / name
            link.unlink(missing_ok=True)
            link.symlink_to(next(libraries.glob(pattern)).absolute())
        self._environ = {**os.environ, "LD_LIBRARY_PATH": str(links)}

    def start(self, lane: str, data: str, connections: int, texts: int, *options: str) -> Run:
        """Starts ``connections`` callers that each send requests of ``texts`` texts, one after the other."""
        report = self._folder / f"{lane}-{connections}x{texts}.csv"
        report.unlink(missing_ok=True)
        command = [str(self._binary), "-m", lane, "-u", self._url, "-i", "grpc", "-b", str(texts)]
        command += ["--input-data", str(self._folder / f"{data}.json"), "--concurrency-range", str(connections)]
        command += ["-f", str(report), "--percentile", "99", *options]
        log = (self._folder / "perf_analyzer.log").open("a")
        return Run(subprocess.Popen(command, env=self._environ, stdout=log, stderr=log), report)

    def measure(self, lane: str, data: str, connections: int, texts: int, requests: int) -> Measured:
        """Sends ``requests`` requests, and waits for them."""
        return self.start(lane, data, connections, texts, "--request-count", str(requests)).result()


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
