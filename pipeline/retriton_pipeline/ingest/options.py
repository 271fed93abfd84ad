"""Options of an ingestion run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import Scalar
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.ingest.parser_limits import ParserLimits
from retriton_pipeline.ingest.reading import WORKERS


@dataclass(frozen=True)
class IngestOptions:
    """Options of an ingestion run.

    Attributes:
        chunk_size: size and overlap of chunks.
        workers: number of processes that parse and chunk files.
        index: index profile of a new collection (see `retriton_pipeline.store.PROFILES`); empty selects the default.
        rebuild: build a new version of the collection from these files alone, and switch to it at the end.
        prune: delete stored documents of files below the given paths that no longer exist.
        dry_run: read and chunk all files and report the changes, without writing them.
        follow_links: follow links that lead from a folder among the paths to a file outside of it.
        limits: memory and time of parsing a file.
        metadata: values for filters, for all documents of the run, besides those that their files state.
    """

    chunk_size: ChunkSize = field(default_factory=ChunkSize)
    workers: int = WORKERS
    index: str = ""
    rebuild: bool = False
    prune: bool = False
    dry_run: bool = False
    follow_links: bool = False
    limits: ParserLimits = field(default_factory=ParserLimits.from_environment)
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InvalidOption(f"workers is {self.workers}, it must be at least 1")


class IngestKeywords(TypedDict, total=False):
    """The fields of `IngestOptions` as keyword arguments, for type checkers."""

    chunk_size: ChunkSize
    workers: int
    index: str
    rebuild: bool
    prune: bool
    dry_run: bool
    follow_links: bool
    limits: ParserLimits
    metadata: Mapping[str, Scalar]
