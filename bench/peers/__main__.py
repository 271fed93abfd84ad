"""`make bench-peers`: measures all servers in turn over several rounds.

Prints a table and one JSON line with the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measurements import BULK, QUERY, REPOSITORY, SERVER_ENV
from bench.peers.infinity import ENVIRONMENT as INFINITY_ENV
from bench.peers.infinity import Infinity, payload
from bench.perf_analyzer import PerfAnalyzer
from bench.workloads import REPORT, Workloads
from retriton_client import Client
from retriton_export import Checkpoint
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

FOLDER = REPORT / "peers"
ST_ENV = Path(".venv-peers-sentence-transformers")
PASSAGES = replace(BULK, texts=8)
Rates = dict[str, list[float]]


class Peers:
    """Measurements of all servers. Only one server runs at a time.

    Args:
        checkpoint: folder of the checkpoint that all servers use.
        seconds: duration of a measurement.

    Attributes:
        queries, passages: rates by server, one value per round.
    """

    def __init__(self, checkpoint: Path, seconds: float) -> None:
        self._checkpoint = checkpoint
        self._seconds = seconds
        self._samples: dict[str, NDArray[np.float32]] = {}
        self.queries: Rates = defaultdict(list)
        self.passages: Rates = defaultdict(list)

    def round(self) -> None:
        """Measures each server once.

        Raises:
            RuntimeError: a server failed, or its vectors differ from Retriton's.
        """
        self._retriton()
        self._infinity()
        for backend in ("torch", "onnx"):
            self._sentence_transformers(backend)
        self._check_samples()

    def _retriton(self) -> None:
        log = (FOLDER / "triton.log").open("wb")
        with log, TritonServer(TritonWheel(SERVER_ENV), REPOSITORY, Endpoint.free(), log) as server:
            server.wait_ready()
            with Client(server.endpoint.grpc_url) as client:
                self._texts = Workloads(client)
                self._samples["retriton"] = client.embed_passages(self._texts.passages[:8])
            self._texts.write(FOLDER)
            load = PerfAnalyzer(FOLDER, server.endpoint.grpc_url)
            load.send(PASSAGES, 64)
            queries = load.measure(replace(QUERY, connections=64), self._seconds)
            passages = load.measure(PASSAGES, self._seconds)
        self.queries["retriton"].append(queries.texts_per_s)
        self.passages["retriton"].append(passages.texts_per_s)

    def _infinity(self) -> None:
        texts = self._texts
        for name, size, every in (("queries", 1, texts.queries), ("passages", PASSAGES.texts, texts.passages)):
            bodies = [payload(every[first : first + size]) for first in range(0, len(every), size)]
            data = {"data": [{"payload": [body]} for body in bodies]}
            (FOLDER / f"openai-{name}.json").write_text(json.dumps(data))
        with Infinity(self._checkpoint, FOLDER / "infinity.log") as server:
            self._samples["infinity"] = server.embed(texts.passages[:8])
            load = PerfAnalyzer(FOLDER, server.url)
            queries = load.measure_openai("openai-queries", 64, self._seconds)
            passages = load.measure_openai("openai-passages", PASSAGES.connections, self._seconds)
        self.queries["infinity"].append(queries.texts_per_s)
        self.passages["infinity"].append(passages.texts_per_s * PASSAGES.texts)

    def _sentence_transformers(self, backend: str) -> None:
        command: list[str | Path] = [
            ST_ENV / "bin" / "python",
            "-m",
            "bench.peers.sentence_transformers_run",
            self._checkpoint,
        ]
        command += [backend, FOLDER / "passages.json", str(self._seconds)]
        environ = {**os.environ, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"sentence-transformers ({backend}) failed:\n{done.stderr[-2000:]}")
        result = json.loads(done.stdout.splitlines()[-1])
        self._samples[f"sentence_transformers_{backend}"] = np.array(result["sample"], np.float32)
        self.passages[f"sentence_transformers_{backend}"].append(result["texts_per_s"])

    def _check_samples(self) -> None:
        """Checks that all servers compute the same vectors."""
        ours = self._samples["retriton"]
        for name, vectors in self._samples.items():
            if (lowest := float((vectors * ours).sum(1).min())) < 0.999:
                raise RuntimeError(f"the vectors of {name} differ from Retriton's: lowest cosine {lowest:.4f}")


def main() -> None:
    """Runs the rounds."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="duration of each measurement")
    options = parser.parse_args()
    os.environ["RETRITON_QUERY_CACHE_MB"] = "0"  # texts are repeated
    checkpoint = (FOLDER / "checkpoint").absolute()  # a copy, because sentence-transformers writes its graph into it
    shutil.copytree(Checkpoint.read().folder, checkpoint, dirs_exist_ok=True)
    peers = Peers(checkpoint, options.seconds)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        peers.round()
    results: dict[str, Any] = {
        "queries_per_s": _medians(peers.queries),
        "passages_per_s": _medians(peers.passages),
        "ratios": {f"queries, {name}": ratio for name, ratio in _ratios(peers.queries).items()}
        | {f"passages, {name}": ratio for name, ratio in _ratios(peers.passages).items()},
        "versions": {"infinity_emb": _version(INFINITY_ENV, "infinity_emb")}
        | {"sentence-transformers": _version(ST_ENV, "sentence-transformers")},
    }
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    for group in ("queries_per_s", "passages_per_s", "ratios"):
        for name, value in results[group].items():
            print(f"{group:15} {name:40} {value:10.2f}")
    print(json.dumps(results))


def _medians(rates: Rates) -> dict[str, float]:
    return {name: round(median(values), 2) for name, values in rates.items()}


def _ratios(rates: Rates) -> dict[str, float]:
    """Median over the rounds of Retriton's rate divided by that of each other server."""
    ours = rates["retriton"]
    return {
        name: round(median(a / b for a, b in zip(ours, values, strict=True)), 3)
        for name, values in rates.items()
        if name != "retriton"
    }


def _version(environment: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [environment / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
