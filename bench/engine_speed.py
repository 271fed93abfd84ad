"""Throughput of an installed engine in process, at fixed shapes. Prints one JSON line.

Runs in the server's environment. Arguments: version folder of a model, seconds per shape.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from retriton_serving.contract.manifest import Manifest
from retriton_serving.engines import Engine, Feed, load_engine

SHAPES = ((1, 16), (1, 128), (8, 128), (4, 512))


def main(folder: Path, seconds: float) -> None:
    """Measures tokens per second over all cores, with micro-batches of one shape at a time."""
    manifest = Manifest.read(folder)
    engine = load_engine(folder, manifest.artefact)
    speeds = {
        f"{texts}x{tokens}": _tokens_per_s(engine, texts, min(tokens, manifest.encoder.max_tokens), seconds)
        for texts, tokens in SHAPES
    }
    print(json.dumps({**speeds, "memory_mb": _memory_mb()}))


def _memory_mb() -> float:
    """Peak memory of this process (`resource` includes the peak of its parent)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1e3


def _tokens_per_s(engine: Engine, texts: int, tokens: int, seconds: float) -> float:
    ids = np.random.default_rng(0).integers(1000, 20_000, (texts, tokens))
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    done = [0] * len(os.sched_getaffinity(0))
    workers = [threading.Thread(target=_work, args=(engine, feed, done, n, seconds)) for n in range(len(done))]
    start = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / (time.monotonic() - start)


def _work(engine: Engine, feed: Feed, done: list[int], number: int, seconds: float) -> None:
    compute = engine.worker()
    compute(feed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        compute(feed)
        done[number] += feed["input_ids"].size


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
