"""A Ray cluster of several nodes on this machine, whose processes and nodes can be killed."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from retriton_pipeline.ingest.ray_environment import LOCAL, prepare

_SETTINGS = {
    "object_store_memory": 80 * 1024**2,  # the least that Ray accepts is 75 MiB
    "include_dashboard": False,
    "node_ip_address": "127.0.0.1",
}
_STARTS = 4
_WORKER = re.compile("ray::(?!.*Agent)")  # Ray names the processes that run tasks and actors, and its own agents


class Nodes:
    """A head node without CPUs, where the caller runs, and nodes with one CPU each.

    Args:
        cluster: of `ray.cluster_utils`, with the head node alone.
        workers: number of the other nodes.

    Attributes:
        address: for ``--ray``.
    """

    def __init__(self, cluster: Any, workers: int) -> None:
        self._cluster = cluster
        self._nodes = [self._add() for _ in range(workers)]
        self.address: str = cluster.address

    def kill_worker(self, chance: random.Random) -> bool:
        """Kills one process that runs tasks; returns whether there is one."""
        workers = self._workers(chance.choice(self._nodes))
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
        return bool(workers)

    def kill_workers(self, chance: random.Random) -> bool:
        """Kills all processes of a node that run tasks; returns whether there is one."""
        workers = self._workers(chance.choice(self._nodes))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        return bool(workers)

    def kill_node(self, chance: random.Random) -> bool:
        """Kills a node, and adds another one."""
        node = self._nodes.pop(chance.randrange(len(self._nodes)))
        self._cluster.remove_node(node, allow_graceful=False)
        self._nodes.append(self._add())
        return True

    @property
    def kills(self) -> tuple[Callable[[random.Random], bool], ...]:
        """The three kinds of kill."""
        return self.kill_worker, self.kill_workers, self.kill_node

    def memory_bytes(self) -> int:
        """The memory of all processes of the cluster, counting shared memory once."""
        return sum(process.memory_full_info().pss for pid in self._raylets() for process in _tree(pid))

    def _raylets(self) -> list[int]:
        return [_raylet(node) for node in self._cluster.list_all_nodes()]

    def _add(self) -> Any:
        return _started(lambda: self._cluster.add_node(num_cpus=1, **_SETTINGS))

    @staticmethod
    def _workers(node: Any) -> list[int]:
        children = psutil.Process(_raylet(node)).children()
        return [child.pid for child in children if _WORKER.match(child.cmdline()[0])]


def _started(start: Callable[[], Any]) -> Any:
    """Starts a node. Ray waits 30 s for it, which is too short on a machine that is busy, so it may be tried again."""
    for attempt in range(1, _STARTS + 1):
        try:
            return start()
        except Exception as error:  # Ray raises nothing more precise
            if attempt == _STARTS or "timed out during startup" not in str(error):
                raise
    raise AssertionError("unreachable")


def _raylet(node: Any) -> int:
    pid: int = node.all_processes["raylet"][0].process.pid
    return pid


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@contextmanager
def ray_nodes(workers: int = 2) -> Iterator[Nodes]:
    """Runs a cluster of ``workers`` nodes and a head node, on 127.0.0.1 and without usage statistics."""
    prepare(LOCAL)
    from ray.cluster_utils import Cluster

    cluster = _started(lambda: Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **_SETTINGS}))
    try:
        yield Nodes(cluster, workers)
    finally:
        cluster.shutdown()
