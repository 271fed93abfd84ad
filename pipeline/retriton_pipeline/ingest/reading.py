"""Reads and chunks files in worker processes.

A parser that crashes, hangs or needs too much memory affects only its file: each process has a limit of memory, and
each file a limit of time.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from retriton_client import EncoderInfo
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import ChunkSize, chunk_document
from retriton_pipeline.documents import Document, FilePart, Unreadable, display_name
from retriton_pipeline.ingest import parsing
from retriton_pipeline.ingest.naming import Naming
from retriton_pipeline.ingest.parser_limits import MIB, ParserLimits, variable_of
from retriton_pipeline.ingest.parsing import Identity, ReadPart, part_bytes
from retriton_pipeline.ingest.worker_context import WorkerContext
from retriton_pipeline.ingest.worker_limits import EXIT_MEMORY
from retriton_pipeline.store import StoredDocument
from retriton_pipeline.tokens import TokenCounter

WORKERS = max(1, min(8, len(os.sched_getaffinity(0)) // 2))
_PARTS_PER_LOOKUP = 64
Lookup = Callable[[list[str]], dict[str, set[str]]]


class Reader:
    """Reads and chunks parts of files in worker processes, a few parts ahead of the consumer.

    Args:
        encoder: encoder whose tokenizer counts the tokens of chunks.
        size: size and overlap of chunks.
        workers: number of processes.
        base: folder of uploaded files, which are identified by their paths relative to it; None for local files, which
            are identified by their real paths.
        limits: memory and time of parsing one part of a file; None reads them from the environment.

    Raises:
        PipelineError: ``size`` is not possible with this encoder.
        InvalidOption: the environment has an invalid limit.
    """

    def __init__(
        self,
        encoder: EncoderInfo,
        size: ChunkSize,
        workers: int = WORKERS,
        base: Path | None = None,
        limits: ParserLimits | None = None,
    ) -> None:
        check_size(encoder, size)
        self._ahead = 2 * workers
        self._limits = limits or ParserLimits.from_environment()
        self._memory_bytes = self._limits.memory_bytes(workers)
        self._scheduled: set[Any] = set()  # futures that are not done
        self._lock = threading.Lock()
        self._closed = False
        self._naming = Naming(base)
        self._pool = ProcessPool(
            workers,
            initializer=parsing.start,
            initargs=(encoder, size, self._naming, self._memory_bytes),
            context=WorkerContext(),
        )

    def close(self) -> None:
        """Stops all processes, including busy ones. A pending `read` raises ``CancelledError``."""
        with self._lock:
            self._closed = True
            for future in list(self._scheduled):
                future.cancel()
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def read(self, parts: Iterable[FilePart], lookup: Lookup) -> Iterator[ReadPart]:
        """Reads parts in order.

        Args:
            parts: parts of files.
            lookup: returns the content hashes that the store has of the given document ids, by id.

        Raises:
            CancelledError: `close` was called.
        """
        for group in batched(map(self._within_base, parts), _PARTS_PER_LOOKUP):
            identities = list(self._map(parsing.identify, [(part,) for part in group]))
            ids = [key for found in identities if isinstance(found, list) for key, _ in found]
            known = lookup(ids) if ids else {}
            yield from self._read_group(group, identities, known)

    def _read_group(
        self, group: list[FilePart], identities: list[list[Identity] | str], known: dict[str, set[str]]
    ) -> Iterator[ReadPart]:
        calls, done = [], {}
        for number, (part, found) in enumerate(zip(group, identities, strict=True)):
            if isinstance(found, str):
                done[number] = self._unreadable(part, found)
            elif found and all(content in known.get(key, ()) for key, content in found):
                source = self._naming.source(part, display_name(part.file))
                unchanged = [StoredDocument(key, source, "", content) for key, content in found]
                done[number] = ReadPart(part, part_bytes(part), [], unchanged, [])
            else:
                calls.append((part, {key: known[key] for key, _ in found if key in known}))
        results = self._map(parsing.read, calls)
        for number, part in enumerate(group):
            outcome = done.get(number) or next(results)
            yield self._unreadable(part, outcome) if isinstance(outcome, str) else outcome

    def _within_base(self, part: FilePart) -> FilePart:
        return replace(part, within=part.within or self._naming.base)

    def _unreadable(self, part: FilePart, reason: str) -> ReadPart:
        entry = Unreadable(self._naming.source(part, display_name(part.file)), reason)
        return ReadPart(part, part_bytes(part), [], [], [entry])

    def _map(self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yields results in order; a string with the reason if a process crashed or exceeded its limits."""
        pending: deque[tuple[Any, float]] = deque()
        try:
            for call in calls:
                seconds = self._limits.seconds(part_bytes(call[0]))
                pending.append((self._schedule(function, call, seconds), seconds))
                if len(pending) > self._ahead:
                    yield self._outcome(*pending.popleft())
            while pending:
                yield self._outcome(*pending.popleft())
        finally:  # of an abandoned run; the next one must not get its results
            for future, _ in pending:
                future.cancel()

    def _schedule(self, function: Callable[..., Any], call: tuple[Any, ...], seconds: float) -> Any:
        with self._lock:  # a call scheduled while `close` cancels would never finish
            if self._closed:
                raise CancelledError
            future = self._pool.schedule(parsing.checked, args=(function, *call), timeout=seconds)
            self._scheduled.add(future)
        future.add_done_callback(self._scheduled.discard)
        return future

    def _outcome(self, future: Any, seconds: float) -> Any:
        memory = f"needs more than {self._memory_bytes // MIB} MiB of memory while it is parsed"
        way_out = f"split it, or raise the limit with {variable_of('memory_mib')}"
        try:
            return future.result()
        except ProcessExpired as error:
            if error.exitcode == EXIT_MEMORY:
                return f"it {memory}: {way_out}"
            return f"its parser crashed (exit code {error.exitcode}): it is damaged, or it {memory}; then {way_out}"
        except FutureTimeout:
            return (
                f"its parser took more than {seconds:g} s: split it, or raise the limit with "
                f"{variable_of('seconds_min')} and {variable_of('seconds_max')}"
            )


def check_size(encoder: EncoderInfo, size: ChunkSize) -> None:
    """Raises `PipelineError` if chunks of ``size`` are not possible with this encoder."""
    chunk_document(Document("", "", (), ""), TokenCounter(encoder), size)
