"""Ingestion of one upload after the other, with parser processes that are started once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.job import Job
from retriton_pipeline.gateway.services.upload_folder import UploadFolders, link_file
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.storage.database import StorageError
from retriton_pipeline.ingest import ParserLimits, Progress, Reader
from retriton_pipeline.ingest.parser_limits import MIB
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.rag.shared_task import SharedTask

_SKIPPED_CHARACTERS_MAX = 65_536  # of the names and reasons in a result
SIDE_BY_SIDE = 2  # uploads, of different keys: one that takes hours leaves the other place to the others


class UploadIngestion:
    """Ingests uploads.

    Args:
        settings: of the gateway.
        upstream: what is served.
        metrics: counts documents and chunks.
        folders: has the place for the files of the current upload.
        number: which of the ingestions that run side by side this is.
    """

    def __init__(
        self, settings: Settings, upstream: Upstream, metrics: GatewayMetrics, folders: UploadFolders, number: int = 0
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._metrics = metrics
        self._folders = folders
        self._number = number
        self._reader: SharedTask[Reader] = SharedTask()
        self._made_for: tuple[str, ChunkSize] | None = None  # the encoder and the size that the reader chunks for

    async def run(self, job: Job) -> None:
        """Ingests the files of a job, and sets its progress and result. Raises as `AsyncRag.ingest`."""

        def on_progress(progress: Progress) -> None:
            job.progress = progress

        encoder = await self._upstream.encoder()
        async with self._files_of(job) as paths, self._rag(job.collection, encoder) as rag:
            reader = await self._reader_for(await rag.encoder(), job.chunk_size)
            report = await rag.ingest(paths, on_progress=on_progress, reader=reader, metadata=job.metadata)
        job.result = bounded(report.as_json())
        self._metrics.ingest_documents.inc(report.documents)
        self._metrics.ingest_chunks.inc(report.chunks)

    async def close(self) -> None:
        """Ends the parser processes, even if they are busy."""
        if reader := await self._reader.take():
            await asyncio.to_thread(reader.close)

    @asynccontextmanager
    async def _files_of(self, job: Job) -> AsyncIterator[Sequence[Path]]:
        """The files of a job, in the place of the current upload; those in its folder stay. Raises `StorageError`."""
        current = self._folders.current(self._number)
        linking = asyncio.ensure_future(
            asyncio.to_thread(shutil.copytree, job.folder, current, copy_function=link_file)
        )
        try:
            try:
                await asyncio.shield(linking)
            except OSError as error:
                raise StorageError(f"{job.folder}: {error}") from error
            yield sorted(current.iterdir())
        finally:
            await asyncio.wait((linking,))  # its thread goes on if the job is cancelled
            await asyncio.to_thread(shutil.rmtree, current, ignore_errors=True)

    def _rag(self, collection: str, encoder: EncoderInfo) -> AsyncRag:
        settings = self._settings
        return AsyncRag(
            settings.url,
            settings.milvus,
            collection,
            milvus_token=settings.milvus_token,
            tls=settings.tls,
            client=self._upstream.client,
            encoder=encoder,
            next_client=self._upstream.next_client,
        )

    async def _reader_for(self, encoder: EncoderInfo, wanted: ChunkSize | None) -> Reader:
        size = _possible(wanted, encoder.max_tokens)
        if (encoder.fingerprint, size) != self._made_for:
            await self.close()
            self._made_for = (encoder.fingerprint, size)
        return await self._reader.get(lambda: asyncio.to_thread(self._new_reader, encoder, size))

    def _new_reader(self, encoder: EncoderInfo, size: ChunkSize) -> Reader:
        limits = ParserLimits.from_environment()
        limits = replace(limits, memory_mib=limits.memory_bytes(SIDE_BY_SIDE) // MIB)
        return Reader(encoder, size, workers=1, base=self._folders.current(self._number), limits=limits)


def bounded(result: dict[str, Any]) -> dict[str, Any]:
    """The result with the first skipped documents and the number of all: results are kept, and listed by hundreds."""
    sizes = accumulate(len(entry["source"]) + len(entry["reason"]) for entry in result["skipped"])
    kept = sum(1 for _ in takewhile(lambda size: size <= _SKIPPED_CHARACTERS_MAX, sizes))
    return {**result, "skipped": result["skipped"][:kept], "skipped_total": len(result["skipped"])}


def _possible(wanted: ChunkSize | None, tokens_max: int) -> ChunkSize:
    """The size that is wanted, or the default one, within what the encoder takes."""
    if wanted is None:
        return ChunkSize.of(min(ChunkSize.tokens, tokens_max))
    tokens = min(wanted.tokens, tokens_max)
    return ChunkSize(tokens, min(wanted.overlap_tokens, tokens // 2))
