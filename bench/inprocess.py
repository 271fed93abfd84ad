"""Throughput of the engine in process: the same graph, threads and texts as the server, in ideal batches.

Runs in the server's environment. Prints one JSON line.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path

from retriton_serving.batching.length_sorted_queue import BatchLimits, LengthSortedQueue
from retriton_serving.batching.padding import Padding
from retriton_serving.batching.tokenization import RoleTokenizer
from retriton_serving.batching.word_cache import Ids
from retriton_serving.contract.manifest import TOKENIZER_FILE, Manifest
from retriton_serving.engines import load_engine

_INPUTS = ("input_ids", "attention_mask")


def main(encoder: Path, passages: Path, seconds: float) -> None:
    """Measures tokens per second over all cores.

    Args:
        encoder: version folder of the model.
        passages: file written by `Workloads.write`.
        seconds: duration.
    """
    manifest = Manifest.read(encoder)
    spec = manifest.encoder
    tokenizer = RoleTokenizer(encoder / TOKENIZER_FILE, spec.prompts.get("passage", ""), spec.max_tokens)
    texts = tokenizer.tokenize([step["text"][0] for step in json.loads(passages.read_text())["data"]])
    queue: LengthSortedQueue[Ids] = LengthSortedQueue()
    for text in texts:
        queue.add(len(text), text)
    padding = Padding(spec.pad_token_id, spec.max_tokens)
    batches = []
    while queue:
        batch = queue.take(BatchLimits(tokens_max=512, padding_share_max=0.02))
        batches.append((sum(map(len, batch)), dict(zip(_INPUTS, padding(batch), strict=True))))
    engine = load_engine(encoder, manifest.artefact)
    done = [0] * len(os.sched_getaffinity(0))
    start, end = time.monotonic(), time.monotonic() + seconds

    def work(number: int) -> None:
        compute = engine.worker()
        for tokens, feed in itertools.islice(itertools.cycle(batches), number, None, len(done)):
            compute(feed)
            done[number] += tokens
            if time.monotonic() > end:
                return

    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(done))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({"tokens_per_s": sum(done) / (time.monotonic() - start)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
