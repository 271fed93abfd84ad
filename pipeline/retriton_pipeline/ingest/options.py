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
from retriton_pipeline.ingest.shard import Shard


@dataclass(frozen=True)
class IngestOptions:
    """Options of an ingestion run.

    Attributes:
        chunk_size: size and overlap of chunks.
        workers: number of processes that parse and chunk files; 0 for half of the cores, at most 8, or for all CPUs of
            a Ray cluster.
        index: index profile of a new collection (see `retriton_pipeline.store.PROFILES`); empty selects the default.
        rebuild: build a new version of the collection from these files alone, and switch to it at the end.
        prune: delete stored documents of files below the given paths that no longer exist.
        dry_run: read and chunk all files and report the changes, without writing them.
        follow_links: follow links that lead from a folder among the paths to a file outside of it.
        limits: memory and time of parsing a file.
        metadata: values for filters, for all documents of the run, besides those that their files state.
        shard: the part of the files to ingest; other processes ingest the others.
        ray: address of a Ray cluster whose workers ingest; ``local`` starts one on this machine, None ingests in this
            process.
        bulk: path or URL of a folder that the Milvus server reads as well: chunks are written to files there, which the
            server imports into a new version (see `BulkImport`); None writes them in ordinary calls.
        bulk_chunks_min: write in ordinary calls after all if there are at most so many chunks, or if a bulk import is
            not possible, for example because the collection has chunks and is not rebuilt; 0 to import any number.
    """

    chunk_size: ChunkSize = field(default_factory=ChunkSize)
    workers: int = 0
    index: str = ""
    rebuild: bool = False
    prune: bool = False
    dry_run: bool = False
    follow_links: bool = False
    limits: ParserLimits = field(default_factory=ParserLimits.from_environment)
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    shard: Shard = field(default_factory=Shard)
    ray: str | None = None
    bulk: str | None = None
    bulk_chunks_min: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise InvalidOption(f"workers is {self.workers}, it must be at least 1, or 0 for the default")
        if self.rebuild and self.shard.count > 1:
            raise InvalidOption(
                "rebuild with a shard: whichever shard ends first would publish a version without the documents of the "
                "others. Rebuild without a shard, or ingest the shards into another collection"
            )
        if self.bulk and not self.bulk_chunks_min and self.is_distributed:
            raise InvalidOption(
                "bulk with a shard or Ray: one process writes the files of an import, and publishes it. Leave bulk "
                "out, or ingest in one process"
            )

    @property
    def is_distributed(self) -> bool:
        """Whether several processes write to the collection."""
        return self.shard.count > 1 or self.ray is not None

    @property
    def processes(self) -> int:
        """The number of processes of a run without Ray."""
        return self.workers or WORKERS


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
    shard: Shard
    ray: str | None
    bulk: str | None
    bulk_chunks_min: int
