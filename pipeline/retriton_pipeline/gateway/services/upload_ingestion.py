"""Ingestion of one upload after the other, with parser processes that are started once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.job import Job
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.ingest import Progress, Reader
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.rag.shared_task import SharedTask


class UploadIngestion:
    """Ingests uploads.

    Args:
        settings: of the gateway.
        upstream: what is served.
        metrics: counts documents and chunks.
        folder: where the files of the current upload are moved to. Documents are identified by their place in it.
    """

    def __init__(self, settings: Settings, upstream: Upstream, metrics: GatewayMetrics, folder: Path) -> None:
        self._settings = settings
        self._upstream = upstream
        self._metrics = metrics
        self._folder = folder
        self._reader: SharedTask[Reader] = SharedTask()
        self._fingerprint = ""  # of the encoder that the reader chunks for

    async def run(self, job: Job) -> None:
        """Ingests the files of a job, and sets its progress and result. Raises as `AsyncRag.ingest`."""

        def on_progress(progress: Progress) -> None:
            job.progress = progress

        encoder = await self._upstream.encoder()
        reader = await self._reader_for(encoder)
        job.folder = job.folder.rename(self._folder)
        async with self._rag(job.collection, encoder) as rag:
            report = await rag.ingest(sorted(job.folder.iterdir()), on_progress=on_progress, reader=reader)
        job.result = report.as_json()
        self._metrics.ingest_documents.inc(report.documents)
        self._metrics.ingest_chunks.inc(report.chunks)

    async def close(self) -> None:
        """Ends the parser processes, even if they are busy."""
        if reader := await self._reader.take():
            await asyncio.to_thread(reader.close)

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
        )

    async def _reader_for(self, encoder: EncoderInfo) -> Reader:
        if encoder.fingerprint != self._fingerprint:
            await self.close()
            self._fingerprint = encoder.fingerprint
        return await self._reader.get(lambda: asyncio.to_thread(self._new_reader, encoder))

    def _new_reader(self, encoder: EncoderInfo) -> Reader:
        size = ChunkSize.of(min(ChunkSize.tokens, encoder.max_tokens))
        return Reader(encoder, size, workers=1, base=self._folder)
