"""The pool of devices, with an engine whose devices stand for GPUs and fail when they are told to."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

from retriton_serving.contract.device_report import DeviceReport
from retriton_serving.engines import Compute, Feed
from retriton_serving.engines.device_pool import DevicePool
from retriton_serving.engines.micro_batch import Rows

TRIAL = {"input_ids": np.zeros((1, 1), np.int64)}


class Devices:
    """An engine that doubles its input. ``gate`` holds all devices back while it is clear."""

    precision = "fp32"

    def __init__(self, number: int) -> None:
        self.devices = tuple(f"cpu:{place}" for place in range(number))
        self.workers_per_device = 1
        self.broken: set[str] = set()
        self.poison = -1  # a value that this engine cannot compute
        self.gate = threading.Event()
        self.gate.set()
        self.computed: list[tuple[str, int]] = []

    def worker(self, device: int = 0) -> Compute:
        name = self.devices[device]

        def compute(feed: Feed) -> Rows:
            self.gate.wait()
            time.sleep(0.002)  # without holding the interpreter's lock, as a GPU computes
            value = int(feed["input_ids"][0, 0])
            self.computed.append((name, value))
            if name in self.broken:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            if value == self.poison:
                raise ValueError("cannot be computed")
            return feed["input_ids"].astype(np.float32) * 2

        return compute


class Replies:
    """Sends micro-batches of one number, and collects their answers."""

    def __init__(self, pool: DevicePool) -> None:
        self._pool = pool
        self._found: queue.Queue[tuple[int, Any]] = queue.Queue()

    def send(self, value: int, is_query: bool = False) -> None:
        feed = {"input_ids": np.full((1, 1), value, np.int64)}
        self._pool.submit(feed, is_query, lambda rows: self._found.put((value, rows)))

    def next(self) -> tuple[int, Any]:
        return self._found.get(timeout=10)


def values(devices: Devices) -> list[int]:
    return [value for _, value in devices.computed]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[BaseException | None]:
    """What ended threads; in the server it ends the process."""
    failures: queue.Queue[BaseException | None] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", lambda arguments: failures.put(arguments.exc_value))
    return failures


def test_all_devices_compute_and_queries_go_first() -> None:
    devices = Devices(2)
    devices.gate.clear()
    replies = Replies(DevicePool(devices, TRIAL, lambda report: None))
    for value in range(100, 110):
        replies.send(value)
    for value in range(5):
        replies.send(value, is_query=True)
    devices.gate.set()
    answers = dict(replies.next() for _ in range(15))
    assert all(rows == value * 2 for value, rows in answers.items())
    # Both devices may have taken a passage before the queries came.
    assert set(values(devices)[:7]) >= set(range(5))
    assert set(Counter(name for name, _ in devices.computed)) == {"cpu:0", "cpu:1"}


def test_a_device_that_fails_is_taken_out_and_loses_nothing() -> None:
    devices, reports = Devices(3), list[DeviceReport]()
    replies = Replies(DevicePool(devices, TRIAL, reports.append))
    assert reports == [DeviceReport(["cpu:0", "cpu:1", "cpu:2"])]
    devices.broken = {"cpu:1"}
    for value in range(50):
        replies.send(value)
    answers = dict(replies.next() for _ in range(50))
    assert all(rows == value * 2 for value, rows in answers.items())
    assert "cpu:1" in {name for name, _ in devices.computed}
    assert reports[1:] == [
        DeviceReport(
            ["cpu:0", "cpu:2"], {"cpu:1": "RuntimeError: CUDA error: an illegal memory access was encountered"}
        )
    ]
    assert reports[1].problem() == (
        "2 of 3 devices compute: cpu:1 failed (RuntimeError: CUDA error: an illegal memory access was encountered)"
    )


def test_a_micro_batch_that_cannot_be_computed_fails_alone() -> None:
    devices, reports = Devices(2), list[DeviceReport]()
    devices.poison = 13
    replies = Replies(DevicePool(devices, TRIAL, reports.append))
    for value in range(20):
        replies.send(value)
    answers = dict(replies.next() for _ in range(20))
    assert isinstance(answers.pop(13), ValueError)
    assert all(rows == value * 2 for value, rows in answers.items())
    assert len(reports) == 1


def test_without_a_device_the_micro_batch_fails_and_the_thread_ends(ended: queue.Queue[BaseException | None]) -> None:
    devices, reports = Devices(1), list[DeviceReport]()
    replies = Replies(DevicePool(devices, TRIAL, reports.append))
    devices.broken = {"cpu:0"}
    replies.send(1)
    assert isinstance(replies.next()[1], RuntimeError)
    assert "no device is left" in str(ended.get(timeout=10))
    assert reports[-1].working == []


def test_a_worker_beside_the_queue_takes_the_first_device_that_works() -> None:
    devices = Devices(2)
    pool = DevicePool(devices, TRIAL, lambda report: None)
    compute, replies = pool.worker(), Replies(pool)
    compute(TRIAL)
    assert devices.computed[-1][0] == "cpu:0"
    devices.broken = {"cpu:0"}
    while "cpu:0" not in pool._failed:
        replies.send(1)
        replies.next()
    compute(TRIAL)
    assert devices.computed[-1][0] == "cpu:1"


def test_while_queries_arrive_they_go_between_the_parts_of_a_micro_batch() -> None:
    devices = Devices(1)
    pool = DevicePool(devices, TRIAL, lambda report: None)
    answers: queue.Queue[Rows | Exception] = queue.Queue()
    passages = {"input_ids": np.arange(800).reshape(8, 100)}
    replies = Replies(pool)

    def send() -> Any:
        pool.submit(passages, False, answers.put)
        return answers.get(timeout=10)

    assert np.array_equal(send(), passages["input_ids"] * 2)
    assert values(devices) == [0], "without queries, a micro-batch is computed at once"
    pool._turns._tokens_per_s = 100 / 0.02  # one row in a turn
    replies.send(5000, is_query=True)
    replies.next()
    devices.computed.clear()
    devices.gate.clear()
    pool.submit(passages, False, answers.put)
    while not pool._waiting.empty():
        time.sleep(0.001)
    replies.send(6000, is_query=True)
    devices.gate.set()
    assert np.array_equal(answers.get(timeout=10), passages["input_ids"] * 2)  # type: ignore[operator]
    assert values(devices)[:3] == [0, 6000, 100], "the query is computed after one row"


def test_a_part_that_fails_on_a_device_goes_on_on_another() -> None:
    devices, reports = Devices(2), list[DeviceReport]()
    pool = DevicePool(devices, TRIAL, reports.append)
    answers: queue.Queue[Rows | Exception] = queue.Queue()
    passages = {"input_ids": np.arange(40).reshape(40, 1)}
    pool._turns.saw_pace(1, 0.02)
    pool._turns.saw_query()
    pool.submit(passages, False, answers.put)
    devices.broken = {"cpu:0"}
    assert np.array_equal(answers.get(timeout=10), passages["input_ids"] * 2)  # type: ignore[operator]
    assert reports[-1].working == ["cpu:1"]
