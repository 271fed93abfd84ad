"""Micro-batches to the devices of an engine: to one that is free, those of queries first.

On a CPU, queries have threads of their own, and while queries arrive, passages are computed at a lower priority of the
operating system: a query takes a core at once, also in the middle of a micro-batch of passages. A GPU computes one
micro-batch after the other. A device that fails is taken out, and its micro-batch is computed on another one.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable

import numpy as np

from retriton_serving.contract.device_report import DeviceReport
from retriton_serving.engines import Compute, Engine, Feed
from retriton_serving.engines.devices import CPU
from retriton_serving.engines.micro_batch import MicroBatch, Priority, Rows

_ATTEMPTS_MAX = 2  # of a micro-batch, on different devices: one that harms devices must not harm all
_QUERIES_S = 1.0  # queries arrive if the last one came within this time
_NICE = 10  # of passages beside queries: a tenth of a core that something else wants, and no less of an idle one


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
        self._query_s = float("-inf")
        self._waiting = _queues(engine)
        on_change(self._report())
        for device, priority in itertools.product(range(len(engine.devices)), self._waiting):
            for _ in range(engine.workers_per_device):
                threading.Thread(target=self._work, args=(device, priority), daemon=True).start()

    def submit(self, feed: Feed, is_query: bool, reply: Callable[[Rows | Exception], None]) -> None:
        """Queues a micro-batch.

        Args:
            feed: inputs of the engine.
            is_query: whether it goes before those that are not.
            reply: called once, from another thread, with the output or with the failure.
        """
        if is_query:
            self._query_s, priority = time.monotonic(), Priority.QUERIES
        elif time.monotonic() - self._query_s < _QUERIES_S:
            priority = Priority.PASSAGES_BESIDE_QUERIES
        else:
            priority = Priority.PASSAGES
        self._put(MicroBatch(not is_query, next(self._arrivals), priority, feed, reply))

    def _put(self, batch: MicroBatch) -> None:
        self._waiting.get(batch.priority, self._waiting[Priority.QUERIES]).put(batch)

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

    def _work(self, device: int, priority: Priority) -> None:
        if priority is Priority.PASSAGES_BESIDE_QUERIES:
            os.nice(_NICE)  # on Linux, of this thread only; a thread cannot take it back
        compute = self._engine.worker(device, priority is Priority.QUERIES)
        name = self._engine.devices[device]
        while True:
            batch = self._waiting[priority].get()
            if name in self._failed:
                self._put(batch)
                return
            try:
                rows = compute(batch.feed)
            except Exception as error:  # noqa: BLE001 - whatever the engine raises
                self._handle(error, batch, name, compute)
            else:
                batch.reply(rows)

    def _handle(self, error: Exception, batch: MicroBatch, name: str, compute: Compute) -> None:
        """Fails the micro-batch, or takes the device out and passes the micro-batch on."""
        batch.attempts += 1
        if self._works(compute):
            batch.reply(error)
            return
        is_left = self._take_out(name, error)
        if is_left and batch.attempts < _ATTEMPTS_MAX:
            self._put(batch)
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


def _queues(engine: Engine) -> dict[Priority, queue.PriorityQueue[MicroBatch]]:
    """A queue for each priority on a CPU, whose scheduler decides between their workers; on GPUs one for all."""
    on_cpu = all(name.startswith(CPU) for name in engine.devices)
    return {priority: queue.PriorityQueue() for priority in (Priority if on_cpu else (Priority.QUERIES,))}
