"""Micro-batches to the devices of an engine: to one that is free, those of queries first.

While queries arrive, micro-batches of passages are computed in parts, between which queries are computed. A device that
fails is taken out, and its micro-batch is computed on another one.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable

import numpy as np

from retriton_serving.contract.device_report import DeviceReport
from retriton_serving.engines import Compute, Engine, Feed
from retriton_serving.engines.micro_batch import MicroBatch, Rows, Turns

_ATTEMPTS_MAX = 2  # of a micro-batch, on different devices: one that harms devices must not harm all


class DevicePool:
    """Computes micro-batches on all devices of an engine, in threads of its own.

    Args:
        engine: the loaded artefact.
        trial: a small micro-batch that every device can compute. A device that has failed, and fails on it too, is
            taken out; another failure is that of its micro-batch.
        on_change: called with the state of all devices, at the start and when one is taken out.
    """

    def __init__(self, engine: Engine, trial: Feed, on_change: Callable[[DeviceReport], None]) -> None:
        self._engine = engine
        self._trial = trial
        self._on_change = on_change
        self._failed: dict[str, str] = {}
        self._taking_out = threading.Lock()
        self._arrivals = itertools.count()
        self._turns = Turns()
        self._waiting: queue.PriorityQueue[MicroBatch] = queue.PriorityQueue()
        on_change(self._report())
        for device in range(len(engine.devices)):
            for _ in range(engine.workers_per_device):
                threading.Thread(target=self._work, args=(device,), daemon=True).start()

    def submit(self, feed: Feed, is_query: bool, reply: Callable[[Rows | Exception], None]) -> None:
        """Queues a micro-batch.

        Args:
            feed: inputs of the engine.
            is_query: whether it goes before those that are not.
            reply: called once, from another thread, with the output or with the failure.
        """
        if is_query:
            self._turns.saw_query()
        self._waiting.put(MicroBatch(not is_query, next(self._arrivals), feed, reply))

    def worker(self) -> Compute:
        """Returns a function that computes beside the queue, on the first device that works at the time of the call."""
        workers = [self._engine.worker(device) for device in range(len(self._engine.devices))]

        def compute(feed: Feed) -> Rows:
            return next(
                worker
                for worker, name in zip(workers, self._engine.devices, strict=True)
                if name not in self._failed  # one works: without any, the process ends
            )(feed)

        return compute

    def _work(self, device: int) -> None:
        compute = self._engine.worker(device)
        name = self._engine.devices[device]
        while True:
            batch = self._waiting.get()
            if name in self._failed:
                self._waiting.put(batch)
                return
            try:
                rows = self._compute_part(batch, compute)
            except Exception as error:  # noqa: BLE001 - whatever the engine raises
                self._handle(error, batch, name, compute)
            else:
                if batch.add(rows):
                    self._waiting.put(batch)

    def _compute_part(self, batch: MicroBatch, compute: Compute) -> Rows:
        if not batch.later:
            return compute(batch.feed)
        part, start = batch.part(self._turns.tokens_max()), time.perf_counter()
        rows = compute(part)
        self._turns.saw_pace(next(iter(part.values())).size, time.perf_counter() - start)
        return rows

    def _handle(self, error: Exception, batch: MicroBatch, name: str, compute: Compute) -> None:
        """Fails the micro-batch, or takes the device out and passes the micro-batch on."""
        batch.attempts += 1
        if self._works(compute):
            batch.reply(error)
            return
        is_left = self._take_out(name, error)
        if is_left and batch.attempts < _ATTEMPTS_MAX:
            self._waiting.put(batch)
        else:
            batch.reply(error)
        if not is_left:
            raise RuntimeError(f"no device is left: {self._failed}") from error

    def _works(self, compute: Compute) -> bool:
        try:
            return bool(np.isfinite(compute(self._trial)).all())
        except Exception:  # noqa: BLE001 - whatever the engine raises; the first failure is reported
            return False

    def _take_out(self, name: str, error: Exception) -> bool:
        """Takes a device out once, however many of its workers fail; returns whether another is left."""
        with self._taking_out:
            if name not in self._failed:
                self._failed[name] = f"{type(error).__name__}: {error}"
                self._on_change(self._report())
            return len(self._failed) < len(self._engine.devices)

    def _report(self) -> DeviceReport:
        working = [name for name in self._engine.devices if name not in self._failed]
        return DeviceReport(working, dict(self._failed))
