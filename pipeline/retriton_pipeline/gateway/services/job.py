"""One upload job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import Scalar
from retriton_pipeline.ingest import Progress


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """An upload that is ingested into a collection.

    Attributes:
        owner: the name of the key that uploaded it; other keys do not see it.
        folder: its files.
        progress: of the ingestion.
        result: the report of the ingestion.
        error: why it failed, or why its last attempt did.
        is_retryable: whether it failed for a reason that may be over later.
        failures: attempts that failed for such a reason.
        is_recorded_elsewhere: whether whoever added it has a record, and tries it again.
        work: the ingestion, once it runs.
        metadata: values for filters, for all its documents.
        chunk_size: of its documents; None for the default.
        is_durable: whether it has a record on the disk.
        ended: set once it is finished.
    """

    id: str
    owner: str
    collection: str
    folder: Path
    bytes_total: int
    state: JobState = JobState.QUEUED
    created_s: float = field(default_factory=time.time)
    progress: Progress = field(default_factory=lambda: Progress(0, 0, 0, 0, 0))
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    work: asyncio.Task[None] | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    chunk_size: ChunkSize | None = None
    is_durable: bool = False
    is_retryable: bool = False
    failures: int = 0
    is_recorded_elsewhere: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_finished(self) -> bool:
        """Whether the state is final."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)

    def waits_for(self, running: Job) -> bool:
        """Whether this job must begin after ``running``: it is of the same key, or both create or change the same."""
        if self.owner == running.owner:
            return True
        if self.collection != running.collection:
            return False
        return not running.progress.chunks or not self._names().isdisjoint(running._names())

    def _names(self) -> set[str]:
        return {file.name for file in self.folder.iterdir()} if self.folder.is_dir() else set()
