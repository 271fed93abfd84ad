"""Ingestion on a Ray cluster, with Ray Data.

The files are split into batches, and each batch is one row of a dataset. A pool of actors ingests batches exactly as a
single process ingests files (see `BatchIngestion`): an actor parses, chunks, embeds and writes, and returns counts.
So neither texts nor vectors pass through Ray's object store, and its stages overlap inside an actor, where the bounds
between them hold back the parsers if the server or Milvus is slow.

Ray runs a batch again if its actor, worker process or node is lost. What it had stored before is found by the ids of
its content, so every chunk is stored once. Ray does not repeat a call that raises an exception. So errors of the server
and of Milvus are handled here: a batch is tried again a few times, then the error is returned as a result and ends the
run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from retriton.extras import requires
from retriton_client import AsyncClient, EncoderInfo, RetritonError
from retriton_client.blocking import run
from retriton_pipeline.errors import PipelineError, StoreError
from retriton_pipeline.ingest.file_batches import CONCURRENT, FILES_MAX, BatchIngestion, Result, file_batches
from retriton_pipeline.ingest.ingestion import ChunkStore, Progress
from retriton_pipeline.ingest.options import IngestOptions
from retriton_pipeline.ingest.parser_limits import MIB
from retriton_pipeline.ingest.ray_environment import LOCAL
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.shared_store import opener_for_workers
from retriton_pipeline.ingest.sources import Source, size_of_source
from retriton_pipeline.store import Store

with requires("ray", "ingestion on Ray"):
    import ray
    import ray.data
    from ray.exceptions import RayError

_OBJECT_STORE_BYTES = 100 * MIB  # of a local cluster; batches and results have some kilobytes
_BATCHES_MAX = 10_000  # tasks of a run: Ray's overhead grows with their number
_ATTEMPTS = 3  # of a batch
_PAUSE_S = 2.0
_CONNECT_S = 10.0

log = logging.getLogger("retriton.ingest")
OpenStore = Callable[[], ChunkStore]
Row = dict[str, Any]


@dataclass(frozen=True)
class _Job:
    """What an actor needs to ingest.

    Attributes:
        client: connects in the actor, with the settings of the caller's client.
        open_store: opens the collection; None for a dry run without a collection.
        encoder, options: of the run.
        folder: working folder of the caller, to which the paths of files are relative.
    """

    client: AsyncClient
    open_store: OpenStore | None
    encoder: EncoderInfo
    options: IngestOptions
    folder: str


class _Worker:
    """An actor: ingests one batch a call, in as many threads as Ray calls it from."""

    def __init__(self, job: _Job) -> None:
        os.chdir(job.folder)
        self._job = job
        self._lock = threading.Lock()
        self._batches: BatchIngestion | None = None

    def __call__(self, row: Row) -> Row:
        try:
            outcome: Result | Exception = self._ingest(pickle.loads(row["files"]))  # noqa: S301 - written below
        except (PipelineError, RetritonError) as error:
            outcome = _plain(error)
        return {"outcome": pickle.dumps(outcome)}

    def _ingest(self, files: Sequence[Source]) -> Result:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return run(self._opened().ingest(files))
            except (StoreError, RetritonError) as error:
                is_final = attempt == _ATTEMPTS or (isinstance(error, RetritonError) and not error.retryable)
                if is_final:
                    raise
                log.warning("batch of %d files, attempt %d: %s", len(files), attempt, error)
                time.sleep(_PAUSE_S * attempt)
        raise AssertionError("unreachable")

    def _opened(self) -> BatchIngestion:
        """Opened at the first call: Ray restarts an actor that ends, but not one that cannot be created."""
        job, options = self._job, self._job.options
        with self._lock:
            if self._batches is None:
                memory_mib = options.limits.memory_bytes(len(os.sched_getaffinity(0))) // MIB
                limits = replace(options.limits, memory_mib=memory_mib)
                store = job.open_store() if job.open_store else None
                reader = Reader(job.encoder, options.chunk_size, workers=1, limits=limits)
                self._batches = BatchIngestion(job.client, store, reader, options.dry_run, options.metadata)
            return self._batches


class ClusterIngestion:
    """One ingestion run on a Ray cluster.

    Args:
        client: the client with which each worker connects to the server.
        store: opened store; None for a dry run without a collection. Workers write to a Milvus server themselves; a
            Milvus Lite file is written by one actor on this machine.
        encoder: served encoder.
        options: options of the run; ``workers`` is the number of actors, each with one CPU.
    """

    def __init__(self, client: AsyncClient, store: Store | None, encoder: EncoderInfo, options: IngestOptions) -> None:
        self._client = client
        self._store = store
        self._encoder = encoder
        self._options = options
        self._cancelled = threading.Event()

    async def run(self, files: Sequence[Source], on_progress: Callable[[Progress], None]) -> Result:
        """Ingests ``files``.

        Raises:
            RetritonError: the server was unavailable during all retries, or refused a request.
            StoreError: Milvus failed.
            PipelineError: the Ray cluster cannot be reached, or failed.
        """
        work = asyncio.ensure_future(asyncio.to_thread(self._run, files, on_progress))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._cancelled.set()  # a thread cannot be cancelled: it ends after the next result
            await asyncio.wait([work])
            raise

    def _run(self, files: Sequence[Source], on_progress: Callable[[Progress], None]) -> Result:
        started, whole, total = time.monotonic(), Result(), sum(map(size_of_source, files))
        try:
            with _cluster(self._options.ray or LOCAL), opener_for_workers(self._store, self._encoder) as open_store:
                job = _Job(self._client, open_store, self._encoder, self._options, os.getcwd())  # noqa: PTH109
                for result in self._results(files, job):
                    self._forget_ids(result)
                    whole.add(result)
                    on_progress(whole.progress(total))
        except RayError as error:
            raise PipelineError(f"Ray failed: {error}") from error
        whole.report.seconds = time.monotonic() - started
        return whole

    def _results(self, files: Sequence[Source], job: _Job) -> Iterator[Result]:
        """Yields the results of batches as they end, in any order."""
        batches = list(file_batches(files, max(FILES_MAX, len(files) // _BATCHES_MAX)))
        if not batches:
            return
        workers = min(self._options.workers or int(ray.cluster_resources().get("CPU", 1)), len(batches))
        rows = ray.data.from_items(
            [{"files": pickle.dumps(batch)} for batch in batches], override_num_blocks=len(batches)
        ).map(
            _Worker,
            fn_constructor_args=(job,),
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                max_size=workers,
                initial_size=workers,
                max_tasks_in_flight_per_actor=2 * CONCURRENT,
                max_concurrent_calls_per_actor=CONCURRENT,
                enable_true_multi_threading=True,
            ),
        )
        for row in rows.iter_rows():
            outcome = pickle.loads(row["outcome"])  # noqa: S301 - written above
            if isinstance(outcome, Exception):
                raise outcome
            if self._cancelled.is_set():
                return
            yield outcome

    def _forget_ids(self, result: Result) -> None:
        """Frees the ids of documents, unless the run deletes what it has not seen."""
        if not (self._options.prune or self._options.rebuild):
            result.seen.ids.clear()


def _plain(error: Exception) -> Exception:
    """The error that a task raised, instead of the one that Ray made of it."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else error


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    """Connects to the cluster at ``address``, or starts one for this run; uses the connection of the caller, if any."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if ray.is_initialized():
        yield
        return
    try:
        _check_reachable(address)
        ray.init(**_settings(address))
    except Exception as error:  # Ray raises `Exception` itself, for example if a process does not start within 30 s
        raise PipelineError(f"the Ray cluster {address} cannot be used: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raises `OSError` if nothing listens at ``host:port``, for which Ray would wait for minutes."""
    if match := re.fullmatch(r"\[?([^\[\]/]+?)\]?:(\d+)", address):
        socket.create_connection((match[1], int(match[2])), _CONNECT_S).close()


def _settings(address: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        settings |= {
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    return settings
