"""Identifies, reads and chunks one part of a file. Runs in the worker processes of `Reader`."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import Document, FilePart, Scalar, Unreadable, holds_records, load_documents, size_of
from retriton_pipeline.documents.files import BYTES_MAX, open_file
from retriton_pipeline.errors import PipelineError, UnreadableDocument
from retriton_pipeline.ingest.naming import Naming
from retriton_pipeline.ingest.worker_limits import EXIT_MEMORY, end_with_parent, limit_memory
from retriton_pipeline.store import StoredDocument, content_hash, document_id
from retriton_pipeline.tokens import TokenCounter

CHUNKER_VERSION = 4  # increment it when the same file would be chunked differently
_HASH_BYTES = 1 << 20
Identity = tuple[str, str]  # document id, content


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


_state: tuple[TokenCounter, ChunkSize, Naming]  # of a worker process


def start(encoder: EncoderInfo, size: ChunkSize, naming: Naming, memory_bytes: int) -> None:
    """Prepares a worker process, whose memory is limited to ``memory_bytes``."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # pebble's handler would wait for a parser that is not Python code
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the main process stops the workers
    global _state
    _state = TokenCounter(encoder), size, naming
    limit_memory(memory_bytes)


def checked(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls ``function``. Without memory, the process ends, because what it still holds would fail later files."""
    try:
        return function(*arguments)
    except MemoryError:
        os._exit(EXIT_MEMORY)


@dataclass(frozen=True)
class _Origin:
    """Identity and location of a part's file, computed once for all its records (see `Naming`), and its metadata."""

    path: str
    file: str
    metadata: Mapping[str, Scalar]

    @classmethod
    def of(cls, part: FilePart) -> _Origin:
        naming = _state[2]
        return cls(naming.identity(part), naming.location(part), part.metadata)

    def identity(self, record: str, sha256: str) -> Identity:
        key = document_id(self.path, record)
        given = [sorted(self.metadata.items())] if self.metadata else []
        return key, content_hash([CHUNKER_VERSION, key, sha256, _state[1], *given])


def identify(part: FilePart) -> list[Identity]:
    """Computes document ids and content hashes of a part, without parsing and chunking its documents."""
    origin = _Origin.of(part)
    if holds_records(part.file):
        documents = (item for item in load_documents(part) if isinstance(item, Document))
        return [origin.identity(item.record, item.sha256) for item in documents]
    try:
        return [origin.identity(part.record, _sha256(part))]
    except (OSError, UnreadableDocument):
        return []  # `read` reports the error


def _sha256(part: FilePart) -> str:
    digest, rest = hashlib.sha256(), part_bytes(part)  # not more, of a file that grows
    if rest > BYTES_MAX:
        raise UnreadableDocument("it is too large to be read")
    with open_file(part.file, part.within) as stream:
        digest.update(stream.read(part.head if part.start else 0))
        stream.seek(part.start)
        while block := stream.read(min(rest, _HASH_BYTES)):
            digest.update(block)
            rest -= len(block)
    return digest.hexdigest()


def read(part: FilePart, known: dict[str, Collection[str]]) -> ReadPart:
    """Reads and chunks the documents of a part whose content is not among ``known``, the stored hashes by id."""
    result, origin = ReadPart(part, part_bytes(part), [], [], []), _Origin.of(part)
    for item in load_documents(part):
        if isinstance(item, Unreadable):
            result.unreadable.append(Unreadable(_state[2].source(part, item.source), item.reason))
        else:
            _add(result, item, origin, known)
    return result


def _add(result: ReadPart, item: Document, origin: _Origin, known: dict[str, Collection[str]]) -> None:
    counter, size, naming = _state
    key, content = origin.identity(item.record, item.sha256)
    source = naming.source(result.part, item.source)
    metadata = {**item.metadata, **origin.metadata}
    stored = StoredDocument(key, source, item.title, content, origin.file, metadata)
    contents = known.get(key, ())
    if content in contents:
        result.unchanged.append(stored)
        return
    try:
        result.changed.append(ReadDocument(stored, chunk_document(item, counter, size), replaces=bool(contents)))
    except PipelineError as error:
        result.unreadable.append(Unreadable(source, str(error)))


def part_bytes(part: FilePart) -> int:
    """The size of a part, in bytes."""
    return max(0, (part.end or size_of(part.file)) - part.start)
