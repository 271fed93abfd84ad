"""Re-embeds the stored chunks of a collection with another encoder, and makes searches use the result.

Texts and metadata are copied as they are stored: documents are not parsed again, and chunks keep their boundaries.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from retriton_client import AsyncClient, EncoderInfo, TextTooLong
from retriton_pipeline.batches import batched
from retriton_pipeline.errors import InvalidOption, PipelineError
from retriton_pipeline.store.rows import embedded_text
from retriton_pipeline.store.switching import Row, VersionChunks, VersionSwitch

_BATCH_CHUNKS = 128
_FEW_CHUNKS = 256  # that the last copying may find, while writes are refused
_INDEX_S_MAX = 600.0  # until the index of the new version is built; searches without it are slower, and not wrong
_VISIBLE_S_MAX = 30.0  # until searches see what was written last
_PASSES_MAX = 8  # before it; a collection that is written to faster than it is copied is frozen for longer
OnProgress = Callable[[int, int], None]  # chunks that are done, and all


@dataclass(frozen=True)
class SwitchOptions:
    """Options of a switch.

    Attributes:
        index: index profile of the new version; empty for that of the current one.
        truncate: drop the end of chunks that are longer than the new encoder takes, instead of stopping at the first.
        chunks_per_s: the most chunks to embed in a second; 0 for no limit.
    """

    index: str = ""
    truncate: bool = False
    chunks_per_s: float = 0.0

    def __post_init__(self) -> None:
        if self.chunks_per_s < 0:
            raise InvalidOption(f"chunks_per_s is {self.chunks_per_s:g}, it must be above 0, or 0 for no limit")


class SwitchKeywords(TypedDict, total=False):
    """The fields of `SwitchOptions` as keyword arguments, for type checkers."""

    index: str
    truncate: bool
    chunks_per_s: float


@dataclass
class SwitchReport:
    """What a switch did.

    Attributes:
        collection: its name.
        encoder: the name of the new encoder.
        version, former: the versions that the collection's name refers to, and referred to before; equal if the
            collection had this encoder already.
        chunks: number of chunks of the new version.
        embedded, deleted: chunks that this run embedded, and deleted because they were deleted meanwhile.
        tokens: number of embedded tokens.
        truncated: number of chunks that lost their end.
        frozen_s: seconds for which writes were refused.
        seconds: of the run.
    """

    collection: str
    encoder: str
    version: str = ""
    former: str = ""
    chunks: int = 0
    embedded: int = 0
    deleted: int = 0
    tokens: int = 0
    truncated: int = 0
    frozen_s: float = 0.0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {**asdict(self), "frozen_s": round(self.frozen_s, 3), "seconds": round(self.seconds, 3)}


class EncoderSwitch:
    """One run of a switch. A run that was interrupted is continued by the next one with the same encoder.

    Args:
        client: of the server with the new encoder.
        collection: name of the collection.
        versions: of the collection.
        options: see `SwitchOptions`.
        on_progress: called after each batch of chunks.
    """

    def __init__(
        self,
        client: AsyncClient,
        collection: str,
        versions: VersionSwitch,
        options: SwitchOptions,
        on_progress: OnProgress = lambda done, total: None,
    ) -> None:
        self._client = client
        self._collection = collection
        self._versions = versions
        self._options = options
        self._on_progress = on_progress

    async def run(self) -> SwitchReport:
        """Copies, freezes, copies what was written meanwhile, and publishes.

        Raises:
            NoSuchCollection, StoreError: see `VersionSwitch`.
            PipelineError: a chunk is too long for the new encoder.
            RetritonError: the server was unavailable during all retries.
        """
        started = time.monotonic()
        encoder = await self._client.encoder_info()
        source = await asyncio.to_thread(self._versions.current)
        report = SwitchReport(self._collection, encoder.name, source.version, source.version)
        if source.description.fingerprint != encoder.fingerprint:
            target = await asyncio.to_thread(self._versions.begin, encoder, self._options.index)
            copying = _Copying(self._client, encoder, self._options, report, self._on_progress)
            for _ in range(_PASSES_MAX):
                if await copying.run(source, target) <= _FEW_CHUNKS:
                    break
                await asyncio.to_thread(target.wait_until_indexed, _INDEX_S_MAX)
            await self._publish(copying, source, target)
            report.version = target.version
        else:
            await asyncio.to_thread(self._versions.thaw, source.version)  # frozen by a rollback that was interrupted
        report.chunks = await asyncio.to_thread((await asyncio.to_thread(self._versions.current)).count)
        report.seconds = time.monotonic() - started
        return report

    async def _publish(self, copying: _Copying, source: VersionChunks, target: VersionChunks) -> None:
        frozen = time.monotonic()
        is_published = False
        try:
            await asyncio.to_thread(self._versions.freeze, source.version)
            await copying.run(source, target)
            await asyncio.to_thread(target.wait_until_visible, _VISIBLE_S_MAX)
            await asyncio.to_thread(self._versions.publish, target.version, source.version)
            is_published = True
        finally:
            if not is_published:
                await asyncio.to_thread(self._versions.thaw, source.version)
        copying.report.frozen_s = time.monotonic() - frozen


@dataclass
class _Copying:
    """Copies chunks into the new version, with vectors of the new encoder."""

    client: AsyncClient
    encoder: EncoderInfo
    options: SwitchOptions
    report: SwitchReport
    on_progress: OnProgress

    async def run(self, source: VersionChunks, target: VersionChunks) -> int:
        """Copies what ``target`` lacks, and deletes what ``source`` lacks; returns the number of these chunks."""
        total, done, copied = await asyncio.to_thread(source.count), 0, 0
        pages = source.ids()
        while page := await asyncio.to_thread(next, pages, None):
            absent = await asyncio.to_thread(target.absent, page)
            done += len(page) - len(absent)
            for rows in batched(absent, _BATCH_CHUNKS):
                copied += await self._copy(rows, source, target)
                done += len(rows)
                self.on_progress(min(done, total), total)
        return copied + await asyncio.to_thread(self._delete_extra, source, target)

    async def _copy(self, keys: list[Row], source: VersionChunks, target: VersionChunks) -> int:
        started = time.monotonic()
        rows = await asyncio.to_thread(source.fetch, keys)
        if not rows:  # deleted meanwhile
            return 0
        try:
            found = await self.client.embed(
                [embedded_text(row) for row in rows],
                "passage",
                truncate="END" if self.options.truncate else "NONE",
                fingerprint=self.encoder.fingerprint,
            )
        except TextTooLong as error:
            raise PipelineError(
                f"a chunk is too long for {self.encoder.name}: {error}. Drop the end of such chunks with --truncate, "
                "or make smaller ones from the documents: `retriton ingest --rebuild`"
            ) from error
        await asyncio.to_thread(target.write, rows, found.vectors, self.encoder.normalized)
        self.report.embedded += len(rows)
        self.report.tokens += int(found.tokens.sum())
        self.report.truncated += int((found.tokens_dropped > 0).sum())
        if self.options.chunks_per_s:
            await asyncio.sleep(max(0.0, started + len(rows) / self.options.chunks_per_s - time.monotonic()))
        return len(rows)

    def _delete_extra(self, source: VersionChunks, target: VersionChunks) -> int:
        deleted = 0
        for page in target.ids():
            if extra := source.absent(page):
                target.delete(extra)
                deleted += len(extra)
        self.report.deleted += deleted
        return deleted
