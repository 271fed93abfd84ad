"""Reads and chunks files in worker processes.

A parser that crashes, hangs or needs too much memory affects only its file: each process has a limit of memory, and
each file a limit of time.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from retriton_client import EncoderInfo
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import (
    Document,
    FilePart,
    Scalar,
    Unreadable,
    display_name,
    holds_records,
    load_documents,
    location,
    size_of,
)
from retriton_pipeline.documents.files import BYTES_MAX, open_file
from retriton_pipeline.errors import PipelineError, UnreadableDocument
from retriton_pipeline.ingest.parser_limits import MIB, ParserLimits, variable_of
from retriton_pipeline.ingest.worker_context import WorkerContext
from retriton_pipeline.ingest.worker_limits import EXIT_MEMORY, end_with_parent, limit_memory
from retriton_pipeline.store import StoredDocument, content_hash, document_id
from retriton_pipeline.tokens import TokenCounter

CHUNKER_VERSION = 4  # increment it when the same file would be chunked differently
WORKERS = max(1, min(8, len(os.sched_getaffinity(0)) // 2))
_PARTS_PER_LOOKUP = 64
_HASH_BYTES = 1 << 20


@dataclass(frozen=True)
class ReadDocument:
    """A new or changed document with its chunks; ``replaces`` is true if the store has earlier content of it."""

    document: StoredDocument
    chunks: list[Chunk]
    replaces: bool


@dataclass(frozen=True)
class ReadPart:
    """The documents of one part of a file."""

    part: FilePart
    size_bytes: int
    changed: list[ReadDocument]
    unchanged: list[StoredDocument]
    unreadable: list[Unreadable]


Lookup = Callable[[list[str]], dict[str, set[str]]]
_Identity = tuple[str, str]  # document id, content


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
        self._naming = _Naming(base)
        self._pool = ProcessPool(
            workers,
            initializer=_start,
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
            identities = list(self._map(_identify, [(part,) for part in group]))
            ids = [key for found in identities if isinstance(found, list) for key, _ in found]
            known = lookup(ids) if ids else {}
            yield from self._read_group(group, identities, known)

    def _read_group(
        self, group: list[FilePart], identities: list[list[_Identity] | str], known: dict[str, set[str]]
    ) -> Iterator[ReadPart]:
        calls, done = [], {}
        for number, (part, found) in enumerate(zip(group, identities, strict=True)):
            if isinstance(found, str):
                done[number] = self._unreadable(part, found)
            elif found and all(content in known.get(key, ()) for key, content in found):
                source = self._naming.source(part, display_name(part.file))
                unchanged = [StoredDocument(key, source, "", content) for key, content in found]
                done[number] = ReadPart(part, _size(part), [], unchanged, [])
            else:
                calls.append((part, {key: known[key] for key, _ in found if key in known}))
        results = self._map(_read, calls)
        for number, part in enumerate(group):
            outcome = done.get(number) or next(results)
            yield self._unreadable(part, outcome) if isinstance(outcome, str) else outcome

    def _within_base(self, part: FilePart) -> FilePart:
        return replace(part, within=part.within or self._naming.base)

    def _unreadable(self, part: FilePart, reason: str) -> ReadPart:
        entry = Unreadable(self._naming.source(part, display_name(part.file)), reason)
        return ReadPart(part, _size(part), [], [], [entry])

    def _map(self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yields results in order; a string with the reason if a process crashed or exceeded its limits."""
        pending: deque[tuple[Any, float]] = deque()
        try:
            for call in calls:
                seconds = self._limits.seconds(_size(call[0]))
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
            future = self._pool.schedule(_checked, args=(function, *call), timeout=seconds)
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


@dataclass(frozen=True)
class _Naming:
    """Names of files: their paths or, if ``base`` is set, their paths relative to it; of remote files, their URLs."""

    base: Path | None

    def source(self, part: FilePart, source: str) -> str:
        """Returns the displayed source of a document of ``part``."""
        if part.url:
            return f"{part.url}{source.removeprefix(display_name(part.file))}"
        return source if self.base is None else source.removeprefix(f"{display_name(self.base)}{os.sep}")

    def identity(self, part: FilePart) -> str:
        """Returns the string that identifies a file: its URL, or its real path, with all links resolved."""
        if part.url:
            return part.url
        return os.path.realpath(part.file) if self.base is None else self._relative(part)

    def location(self, part: FilePart) -> str:
        """Returns the location of a file, for pruning."""
        if part.url:
            return part.url
        return location(part.file) if self.base is None else self._relative(part)

    def _relative(self, part: FilePart) -> str:
        return f"upload:{self.source(part, display_name(part.file))}"


_state: tuple[TokenCounter, ChunkSize, _Naming]  # of a worker process


def _start(encoder: EncoderInfo, size: ChunkSize, naming: _Naming, memory_bytes: int) -> None:
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # pebble's handler would wait for a parser that is not Python code
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the main process stops the workers
    global _state
    _state = TokenCounter(encoder), size, naming
    limit_memory(memory_bytes)


def _checked(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls ``function``. Without memory, the process ends, because what it still holds would fail later files."""
    try:
        return function(*arguments)
    except MemoryError:
        os._exit(EXIT_MEMORY)


@dataclass(frozen=True)
class _Origin:
    """Identity and location of a part's file, computed once for all its records (see `_Naming`), and its metadata."""

    path: str
    file: str
    metadata: Mapping[str, Scalar]

    @classmethod
    def of(cls, part: FilePart) -> _Origin:
        naming = _state[2]
        return cls(naming.identity(part), naming.location(part), part.metadata)

    def identity(self, record: str, sha256: str) -> _Identity:
        key = document_id(self.path, record)
        given = [sorted(self.metadata.items())] if self.metadata else []
        return key, content_hash([CHUNKER_VERSION, key, sha256, _state[1], *given])


def _identify(part: FilePart) -> list[_Identity]:
    """Computes document ids and content hashes of a part, without parsing and chunking its documents."""
    origin = _Origin.of(part)
    if holds_records(part.file):
        documents = (item for item in load_documents(part) if isinstance(item, Document))
        return [origin.identity(item.record, item.sha256) for item in documents]
    try:
        return [origin.identity(part.record, _sha256(part))]
    except (OSError, UnreadableDocument):
        return []  # `_read` reports the error


def _sha256(part: FilePart) -> str:
    digest, rest = hashlib.sha256(), _size(part)  # not more, of a file that grows
    if rest > BYTES_MAX:
        raise UnreadableDocument("it is too large to be read")
    with open_file(part.file, part.within) as stream:
        digest.update(stream.read(part.head if part.start else 0))
        stream.seek(part.start)
        while block := stream.read(min(rest, _HASH_BYTES)):
            digest.update(block)
            rest -= len(block)
    return digest.hexdigest()


def _read(part: FilePart, known: dict[str, Collection[str]]) -> ReadPart:
    read, origin = ReadPart(part, _size(part), [], [], []), _Origin.of(part)
    for item in load_documents(part):
        if isinstance(item, Unreadable):
            read.unreadable.append(Unreadable(_state[2].source(part, item.source), item.reason))
        else:
            _add(read, item, origin, known)
    return read


def _add(read: ReadPart, item: Document, origin: _Origin, known: dict[str, Collection[str]]) -> None:
    counter, size, naming = _state
    key, content = origin.identity(item.record, item.sha256)
    source = naming.source(read.part, item.source)
    metadata = {**item.metadata, **origin.metadata}
    stored = StoredDocument(key, source, item.title, content, origin.file, metadata)
    contents = known.get(key, ())
    if content in contents:
        read.unchanged.append(stored)
        return
    try:
        read.changed.append(ReadDocument(stored, chunk_document(item, counter, size), replaces=bool(contents)))
    except PipelineError as error:
        read.unreadable.append(Unreadable(source, str(error)))


def _size(part: FilePart) -> int:
    return max(0, (part.end or size_of(part.file)) - part.start)
