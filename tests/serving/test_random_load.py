"""Random load on a lane: every request is answered exactly once, whatever fails, expires, leaves or closes."""

from __future__ import annotations

import random
import threading
import time

import numpy as np
import pytest

from retriton_serving.batching.batcher import LaneLimits, MicroBatcher
from retriton_serving.batching.dispatcher import ComputedBatch
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract.errors import EncoderUnavailable, RequestRefused
from tests.serving.outcome import Outcome

ROUNDS = 10
SEEDS_PER_ROUND = 30


class Encoder:
    """Computes (sum of ids, number of tokens) of each text; fails now and then."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        with self._lock:
            fails, pause_s = self._random.random() < 0.1, self._random.choice((0.0, 0.0, 0.0005))
        time.sleep(pause_s)
        if fails:
            raise EncoderUnavailable("a failure on purpose")
        return np.stack([(ids * mask).sum(1), mask.sum(1)], axis=1).astype(np.float32)


class Submitter:
    """One caller: submits random requests until the batcher refuses because it is closed, or there were enough."""

    def __init__(self, batcher: MicroBatcher, seed: int) -> None:
        self._batcher = batcher
        self._random = random.Random(seed)
        self.submitted: list[tuple[list[list[int]], Outcome]] = []
        self.refused = 0

    def run(self) -> None:
        for _ in range(self._random.randint(1, 12)):
            self._submit()

    def _submit(self) -> None:
        chance = self._random
        texts = [[chance.randint(1, 5)] * chance.randint(1, 40) for _ in range(chance.randint(1, 6))]
        deadline_s = time.monotonic() + chance.choice((-0.001, 0.001, 10.0)) if chance.random() < 0.5 else None
        outcome = Outcome(abandoned=chance.random() < 0.1)
        try:
            self._batcher.submit(Request(texts, outcome, deadline_s, urgent=chance.random() < 0.1))
        except RequestRefused:
            self.refused += 1
            assert not outcome.done.is_set()
        else:
            self.submitted.append((texts, outcome))


def run_seed(seed: int) -> None:
    chance = random.Random(seed)
    computed: list[ComputedBatch] = []
    limits = LaneLimits(BatchLimits(chance.choice((16, 64, 256))), 1.0, chance.choice((50, 500)), chance.randint(1, 3))
    cache = VectorCache(10_000) if chance.random() < 0.5 else None
    batcher = MicroBatcher(Encoder(seed), limits, Padding(0, 512), computed.append, cache)
    submitters = [Submitter(batcher, 1000 * seed + number) for number in range(chance.randint(1, 5))]
    threads = [threading.Thread(target=submitter.run) for submitter in submitters]
    for thread in threads:
        thread.start()
    if chance.random() < 0.5:  # else it is closed while they submit
        for thread in threads:
            thread.join(10)
    closing = threading.Thread(target=batcher.close)
    closing.start()
    for thread in [*threads, closing]:
        thread.join(10)
        assert not thread.is_alive(), seed
    for submitter in submitters:
        for texts, outcome in submitter.submitted:
            assert outcome.done.is_set(), seed
            if outcome.error is None:
                np.testing.assert_array_equal(outcome.vectors, [[sum(text), len(text)] for text in texts])
    assert batcher.waiting_tokens == 0
    assert sum(len(batch.texts) for batch in computed) <= sum(
        len(texts) for submitter in submitters for texts, _ in submitter.submitted
    )


@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_request_is_answered_exactly_once(number: int) -> None:
    for seed in range(number * SEEDS_PER_ROUND, (number + 1) * SEEDS_PER_ROUND):
        run_seed(seed)
