"""The pool of devices, with an engine whose devices stand for GPUs and fail when they are told to."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

from retriton_serving.contract.device_report import DeviceReport
from retriton_serving.engines import Compute, Feed, device_pool
from retriton_serving.engines.device_pool import DevicePool
from retriton_serving.engines.micro_batch import Rows

USUAL_NICE = os.getpriority(os.PRIO_PROCESS, 0)
TRIAL = {"input_ids": np.zeros((1, 1), np.int64)}


class Devices:
    """An engine that doubles its input. ``gate`` holds all but ``ungated`` values back while it is clear."""

    precision = "fp32"

    def __init__(self, number: int, kind: str = "cuda") -> None:
        self.devices = tuple(f"{kind}:{place}" for place in range(number))
        self.workers_per_device = 1
        self.broken: set[str] = set()
        self.poison = -1  # a value that this engine cannot compute
        self.gate = threading.Event()
        self.gate.set()
        self.ungated: set[int] = set()
        self.computed: list[tuple[str, int]] = []
        self.nice: dict[int, int] = {}

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        name = self.devices[device]

        def compute(feed: Feed) -> Rows:
            value = int(feed["input_ids"][0, 0])
            if value not in self.ungated:
                self.gate.wait()
            time.sleep(0.002)  # without holding the interpreter's lock, as a GPU computes
            self.nice[value] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
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
    assert set(Counter(name for name, _ in devices.computed)) == {"cuda:0", "cuda:1"}


def test_a_device_that_fails_is_taken_out_and_loses_nothing() -> None:
    devices, reports = Devices(3), list[DeviceReport]()
    replies = Replies(DevicePool(devices, TRIAL, reports.append))
    assert reports == [DeviceReport(["cuda:0", "cuda:1", "cuda:2"])]
    devices.broken = {"cuda:1"}
    for value in range(50):
        replies.send(value)
    answers = dict(replies.next() for _ in range(50))
    assert all(rows == value * 2 for value, rows in answers.items())
    assert "cuda:1" in {name for name, _ in devices.computed}
    assert reports[1:] == [
        DeviceReport(
            ["cuda:0", "cuda:2"], {"cuda:1": "RuntimeError: CUDA error: an illegal memory access was encountered"}
        )
    ]
    assert reports[1].problem() == (
        "2 of 3 devices compute: cuda:1 failed (RuntimeError: CUDA error: an illegal memory access was encountered)"
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
    devices.broken = {"cuda:0"}
    replies.send(1)
    assert isinstance(replies.next()[1], RuntimeError)
    assert "no device is left" in str(ended.get(timeout=10))
    assert reports[-1].working == []


def test_a_worker_beside_the_queue_takes_the_first_device_that_works() -> None:
    devices = Devices(2)
    pool = DevicePool(devices, TRIAL, lambda report: None)
    compute, replies = pool.worker(), Replies(pool)
    compute(TRIAL)
    assert devices.computed[-1][0] == "cuda:0"
    devices.broken = {"cuda:0"}
    while "cuda:0" not in pool._failed:
        replies.send(1)
        replies.next()
    compute(TRIAL)
    assert devices.computed[-1][0] == "cuda:1"


def test_on_a_cpu_queries_do_not_wait_for_passages_and_go_before_them_at_the_operating_system() -> None:
    devices = Devices(1, "cpu")
    replies = Replies(DevicePool(devices, TRIAL, lambda report: None))
    devices.gate.clear()
    devices.ungated = {1}
    replies.send(100)  # is computed until the gate opens
    replies.send(1, is_query=True)
    assert replies.next()[0] == 1
    replies.send(101)
    devices.gate.set()
    assert {replies.next()[0], replies.next()[0]} == {100, 101}
    assert devices.nice == {1: USUAL_NICE, 100: USUAL_NICE, 101: USUAL_NICE + 10}


def test_without_queries_passages_have_the_usual_priority_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_pool, "_QUERIES_S", 0.05)
    devices = Devices(1, "cpu")
    replies = Replies(DevicePool(devices, TRIAL, lambda report: None))
    replies.send(1, is_query=True)
    replies.send(100)
    time.sleep(0.1)
    replies.send(101)
    assert {replies.next()[0] for _ in range(3)} == {1, 100, 101}
    assert devices.nice == {1: USUAL_NICE, 100: USUAL_NICE + 10, 101: USUAL_NICE}
