"""Bulk imports: a Milvus server reads Parquet files itself, instead of receiving rows in calls.

Milvus 2.5 and later have import jobs of many files over HTTP. Versions from 2.3.4, the first that reads Parquet, to 2.4
import one file a task over gRPC. Milvus Lite has no imports.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from retriton.extras import requires
from retriton_pipeline.batches import batched
from retriton_pipeline.errors import StoreError
from retriton_pipeline.store.milvus import Milvus

_JOBS_SINCE, _PARQUET_SINCE = (2, 5), (2, 3, 4)
_FILES_PER_JOB = 256  # Milvus accepts 1,024
_CONCURRENT_JOBS, _CONCURRENT_TASKS = 2, 4  # a data node of 2.3 runs one task at a time
_POLL_S = 1.0
_POLL_FAILURES_MAX = 10  # one after another: the server may be restarted during a long import
_STALLED_S = 3600.0


@dataclass(frozen=True)
class ImportState:
    """The state of an import job.

    Attributes:
        name: as Milvus names it.
        rows: number of rows that were imported so far.
        progress: percentage.
        reason: why it failed.
    """

    name: str
    rows: int
    progress: int
    reason: str = ""

    @property
    def is_completed(self) -> bool:
        """Whether all rows are imported, and indexed."""
        return self.name == "Completed"

    @property
    def has_failed(self) -> bool:
        """Whether the job ended without importing its files."""
        return self.name.startswith("Failed")


class ImportJobs(Protocol):
    """The import jobs of a server.

    Attributes:
        files_max: files of a job.
        concurrent: jobs at a time.
    """

    files_max: int
    concurrent: int

    def start(self, collection: str, files: list[str]) -> str:
        """Starts a job, and returns its id. Raises `StoreError`."""

    def state(self, job: str) -> ImportState:
        """Returns the state of a job. Raises `StoreError`."""


def import_jobs(milvus: Milvus) -> ImportJobs | str:
    """Returns the import jobs of a server, or the reason why it has none."""
    if milvus.is_file:
        return "Milvus Lite has no bulk import"
    version = milvus.server_version()
    if version >= _JOBS_SINCE:
        return _HttpJobs(milvus)
    if version >= _PARQUET_SINCE:
        return _GrpcTasks(milvus)
    return f"Milvus {'.'.join(map(str, version))} cannot import Parquet files, which needs 2.3.4"


def import_files(
    jobs: ImportJobs, collection: str, files: Iterable[str], on_rows: Callable[[int], None] = lambda rows: None
) -> int:
    """Imports files into a collection, a few jobs at a time, and returns the number of rows that Milvus reports.

    Args:
        jobs: of the server.
        collection: the collection.
        files: paths as the server opens them.
        on_rows: called with the number of rows that were imported so far.

    If a job fails, no further one is started, and those that run are waited for: a data node of Milvus 2.3 hangs if
    their collection is dropped meanwhile.

    Raises:
        StoreError: Milvus refused or failed to import a file, does not answer, or imports nothing for an hour.
    """
    waiting = deque(batched(files, jobs.files_max))
    running: dict[str, _Running] = {}
    failures: list[StoreError] = []
    done = 0
    while running or (waiting and not failures):
        try:
            while waiting and not failures and len(running) < jobs.concurrent:
                some = waiting.popleft()
                running[jobs.start(collection, some)] = _Running(some)
        except StoreError as error:
            failures.append(error)
        done += _ended(jobs, running, failures)
        on_rows(done + sum(of.state.rows for of in running.values()))
        if running:
            time.sleep(_POLL_S)
    if failures:
        raise failures[0]
    return done


def _ended(jobs: ImportJobs, running: dict[str, _Running], failures: list[StoreError]) -> int:
    """Removes jobs that have ended, adds the failures, and returns the rows of the others."""
    rows = 0
    for job, of in list(running.items()):
        try:
            if of.poll(jobs, job).is_completed:
                rows += running.pop(job).state.rows
        except StoreError as error:
            failures.append(error)
            del running[job]
    return rows


@dataclass
class _Running:
    """A job that was started."""

    files: list[str]
    state: ImportState = field(default_factory=lambda: ImportState("Pending", 0, 0))
    since: float = field(default_factory=time.monotonic)
    failures: int = 0

    def poll(self, jobs: ImportJobs, job: str) -> ImportState:
        """Returns the state, which is the former one if the server does not answer for a short time."""
        try:
            state = jobs.state(job)
        except StoreError:
            self.failures += 1
            if self.failures > _POLL_FAILURES_MAX:
                raise
            return self.state
        if state.has_failed:
            raise StoreError(f"Milvus failed to import {self._named()} (job {job}): {state.reason}")
        now = time.monotonic()
        if state != self.state:
            self.since = now
        elif now - self.since > _STALLED_S:
            raise StoreError(
                f"job {job}, which imports {self._named()}, is {state.name} at {state.progress} % for "
                f"{_STALLED_S / 60:.0f} minutes"
            )
        self.state, self.failures = state, 0
        return state

    def _named(self) -> str:
        return self.files[0] if len(self.files) == 1 else f"{len(self.files)} files from {self.files[0]} on"


class _HttpJobs:
    """Import jobs over HTTP (``/v2/vectordb/jobs/import``), at the address of the server."""

    files_max = _FILES_PER_JOB
    concurrent = _CONCURRENT_JOBS

    def __init__(self, milvus: Milvus) -> None:
        with requires("bulk", "bulk import"):
            from pymilvus.bulk_writer import bulk_import, get_import_progress

        self._milvus = milvus
        self._create, self._describe = bulk_import, get_import_progress

    def start(self, collection: str, files: list[str]) -> str:
        data = self._data(self._create, collection_name=collection, files=[[file] for file in files])
        return str(data["jobId"])

    def state(self, job: str) -> ImportState:
        data = self._data(self._describe, job_id=job)
        rows, progress = data.get("importedRows", 0), data.get("progress", 0)
        return ImportState(data["state"], int(rows), int(progress), data.get("reason", ""))

    def _data(self, function: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        with self._milvus.errors():
            answer = function(url=self._milvus.uri.rstrip("/"), api_key=self._milvus.token, **arguments).json()
        data: dict[str, Any] = answer["data"]
        return data


class _GrpcTasks:
    """Import tasks over gRPC, of one file each."""

    files_max = 1
    concurrent = _CONCURRENT_TASKS

    def __init__(self, milvus: Milvus) -> None:
        self._milvus = milvus

    def start(self, collection: str, files: list[str]) -> str:
        return str(self._call("do_bulk_insert", collection, "", files))

    def state(self, job: str) -> ImportState:
        found = self._call("get_bulk_insert_state", int(job))
        progress = found.infos.get("progress_percent", 0)
        return ImportState(found.state_name, int(found.row_count), int(progress), found.failed_reason)

    def _call(self, method: str, *args: Any) -> Any:
        """Calls the handler of the client, which offers the tasks only to the deprecated `pymilvus.utility`."""
        with self._milvus.errors():
            return getattr(self._milvus.client._get_connection(), method)(*args, timeout=30.0)
