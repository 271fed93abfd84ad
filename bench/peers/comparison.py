"""Measures Retriton and its peers in turn, over several rounds."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measurements import BULK, QUERY, REPOSITORY, SERVER_ENV
from bench.peers.in_process import SAMPLE
from bench.peers.peer import Job, Peer, Rates, UnavailableError
from bench.peers.report import RETRITON
from bench.peers.server import CONNECTIONS, PASSAGES
from bench.perf_analyzer import PerfAnalyzer
from bench.workloads import Workloads
from retriton_client import Client
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

COSINE_MIN = 0.999  # to Retriton's vectors; for int8 it is only reported


class Comparison:
    """Measurements of Retriton and its peers. Only one runs at a time.

    Args:
        peers: peers to measure.
        checkpoint: folder of the checkpoint that all peers use.
        folder: folder for texts, logs and reports.
        seconds: duration of a measurement.

    Attributes:
        rounds: Retriton's and all peers' rates, by name, one item per round.
        facts: version, precision and lowest cosine to Retriton's vectors, by peer.
        skipped: why a peer is not measured, by peer. It is not tried again.
    """

    def __init__(self, peers: Sequence[Peer], checkpoint: Path, folder: Path, seconds: float) -> None:
        self._peers = peers
        self._checkpoint = checkpoint
        self._folder = folder
        self._seconds = seconds
        self.rounds: dict[str, list[Rates]] = defaultdict(list)
        self.facts: dict[str, dict[str, str | float]] = {}
        self.skipped: dict[str, str] = {}

    def round(self) -> None:
        """Measures Retriton and each peer once."""
        self.compare(*self._retriton())

    def compare(self, job: Job, ours: Rates) -> None:
        """Measures each peer once, on the texts that Retriton was measured with."""
        self.rounds[RETRITON].append(ours)
        for peer in self._peers:
            if peer.name in self.skipped:
                continue
            print(f"  {peer.name}", file=sys.stderr)
            try:
                version, rates = peer.version(), peer.measure(job)
                cosine = check(peer, rates.sample, ours.sample)
                self.facts[peer.name] = {"version": version, "precision": peer.precision, "cosine": round(cosine, 5)}
                self.rounds[peer.name].append(rates)
            except UnavailableError as reason:
                self.skipped[peer.name] = str(reason)
                self.rounds.pop(peer.name, None)

    def _retriton(self) -> tuple[Job, Rates]:
        log = (self._folder / "triton.log").open("wb")
        with log, TritonServer(TritonWheel(SERVER_ENV), REPOSITORY, Endpoint.free(), log) as server:
            server.wait_ready()
            with Client(server.endpoint.grpc_url) as client:
                texts = Workloads(client)
                sample = client.embed_passages(texts.passages[:SAMPLE])
            texts.write(self._folder)
            load = PerfAnalyzer(self._folder, server.endpoint.grpc_url)
            bulk = replace(BULK, texts=PASSAGES, connections=CONNECTIONS["passages"])
            load.send(bulk, 64)
            queries, single = (
                load.measure(replace(QUERY, connections=CONNECTIONS[name]), self._seconds).texts_per_s
                for name in ("queries", "single_queries")
            )
            rates = Rates(sample, load.measure(bulk, self._seconds).texts_per_s, single, queries)
        return Job(self._checkpoint, self._folder, texts.passages, texts.queries, self._seconds), rates


def check(peer: Peer, sample: NDArray[np.float32], ours: NDArray[np.float32]) -> float:
    """Lowest cosine of a peer's vectors to Retriton's.

    Raises:
        UnavailableError: it is below COSINE_MIN, and the peer does not compute in int8.
    """
    norms = np.linalg.norm(sample, axis=1) * np.linalg.norm(ours, axis=1)
    lowest = float(((sample * ours).sum(1) / norms).min())
    if not lowest >= COSINE_MIN and peer.precision != "int8":
        raise UnavailableError(f"vectors differ from Retriton's: lowest cosine {lowest:.4f}, allowed {COSINE_MIN}")
    return lowest
