"""`AsyncRag`: the library for code with an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from retriton.extras import requires
from retriton_client import AsyncClient, DeadlineExceeded, EncoderInfo, Retry, Tls, WrongEncoder
from retriton_pipeline.calibration import calibrate
from retriton_pipeline.defaults import DEFAULT_MILVUS
from retriton_pipeline.errors import InvalidOption, NoSuchCollection, StoreError, StoreInterrupted
from retriton_pipeline.generation import DEFAULT_TEMPLATE, LLM, PromptBuilder
from retriton_pipeline.rag.answer import Answer, PromptedQuestion
from retriton_pipeline.rag.collection import Collection
from retriton_pipeline.rag.servers import Servers
from retriton_pipeline.rag.stream import AnswerStream
from retriton_pipeline.retrieval import Retrieved, SearchKeywords, SearchOptions, Turn
from retriton_pipeline.store import Store
from retriton_pipeline.store.switching import VersionSwitch
from retriton_pipeline.switching import (
    EncoderSwitch,
    OnProgress,
    SwitchKeywords,
    SwitchOptions,
    SwitchReport,
    roll_back,
)
from retriton_pipeline.tokens import prompt_counter

if TYPE_CHECKING:  # needs the parsers, which searches and answers do without
    from retriton_pipeline.ingest import IngestKeywords, IngestReport, Progress, Reader

DEFAULT_URL = "127.0.0.1:8001"
_INGEST_RETRY = Retry(attempts_max=100, delay_first_s=0.1, delay_max_s=2.0)  # outlasts a restart of the server
_INGEST_TIMEOUT_S = 120.0
StrPath = str | os.PathLike[str]


class AsyncRag:
    """Documents, questions and answers over one collection; used, and closed, in one event loop.

    Connections are opened when they are first needed. A Milvus Lite file belongs to one process at a time, from the
    first call until `close`.

    Args:
        url: ``host:port`` of the server's gRPC endpoint.
        milvus: a file name ending in .db for Milvus Lite, or ``http://host:port`` of a Milvus server.
        collection: the name of the collection.
        milvus_token: ``user:password`` or an API key of a Milvus server.
        consistency: Milvus' consistency level of searches; ``Strong`` sees the latest writes.
        llm: answers questions, and rewrites follow-up questions.
        timeout_s: seconds for each request to the server, retries included.
        call_timeout_s: seconds for each question: `retrieve` and `prompt`, `answer` with the LLM's whole answer, and
            `stream` until it begins; None for no limit of their own.
        retry: when requests are sent again.
        tls: encrypts the connection to the server.
        prompt_tokens: budget of prompts.
        prompt_tokenizer: the LLM's ``tokenizer.json``, or its id on the hub; default: the encoder's tokenizer.
        template: a Jinja file for prompts (see `PromptBuilder`).
        client: a client to use instead of one for ``url``; it is not closed.
        encoder: what the server serves; None asks the server.
        result_cache_s: seconds for which the results of repeated questions are used, unless this process writes to the
            collection; 0 for none.
        next_url: ``host:port`` of a server with another encoder. A collection that was made with that encoder is used
            through this server, and switches from the one to the other are followed within a second.
        next_client: a client to use instead of one for ``next_url``; it is not closed.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        milvus: StrPath = DEFAULT_MILVUS,
        collection: str = "documents",
        *,
        milvus_token: str = "",
        consistency: str = "Bounded",
        llm: LLM | None = None,
        timeout_s: float = 60.0,
        call_timeout_s: float | None = None,
        retry: Retry | None = None,
        tls: Tls | None = None,
        prompt_tokens: int = 2048,
        prompt_tokenizer: str = "",
        template: StrPath = DEFAULT_TEMPLATE,
        client: AsyncClient | None = None,
        encoder: EncoderInfo | None = None,
        result_cache_s: float = 0.0,
        next_url: str = "",
        next_client: AsyncClient | None = None,
    ) -> None:
        self.url = client.url if client else url
        self.milvus = os.fspath(milvus)
        self.collection = collection
        self.llm = llm
        self._call_timeout_s = call_timeout_s
        made: list[AsyncClient] = []
        if client is None:
            client = AsyncClient(url, timeout_s=timeout_s, retry=retry, tls=tls)
            made.append(client)
        if next_client is None and next_url:
            next_client = AsyncClient(next_url, timeout_s=timeout_s, retry=retry, tls=tls)
            made.append(next_client)
        self._servers = Servers(client, next_client, encoder, tuple(made))
        self._collection = Collection(
            lambda create: Store(self.milvus, collection, milvus_token, consistency, create),
            self._servers,
            lambda served: PromptBuilder(prompt_counter(prompt_tokenizer, served), prompt_tokens, Path(template)),
            result_cache_s,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, and releases the Milvus Lite file."""
        await self._collection.close()
        await self._servers.close()

    async def ingest(
        self,
        paths: Sequence[StrPath],
        *,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        reader: Reader | None = None,
        **options: Unpack[IngestKeywords],
    ) -> IngestReport:
        """Reads, chunks, embeds and stores documents.

        Unchanged documents are skipped, changed ones replace their chunks. Safe to interrupt and to run again.

        Args:
            paths: files, folders that are searched for files, and URLs of either that `fsspec` can open.
            on_progress: called after every batch.
            reader: parses and chunks the files, instead of processes that are started for this call; it is not closed.
            options: the fields of `IngestOptions`.

        Returns:
            Counts, and every file that was skipped with the reason.

        Raises:
            PipelineError: a path does not exist, or an option is invalid; EncoderMismatch, StoreError: see `Store`.
            CollectionFrozen: the collection was switched to another encoder meanwhile; run it again.
            RetritonError: the server cannot be reached at first, or was unavailable for all retries later.
            MissingExtra: the extra ``documents`` is not installed, or ``urls`` or ``ray`` is needed, too.
        """
        with requires("documents", "Rag.ingest"):
            from retriton_pipeline.ingest import IngestOptions, as_source, ingest_paths

        settings = IngestOptions(**options)
        await self._servers.first.encoder_info()  # fails soon; below, a restart of the server is waited for
        store = await self._store_for(settings.dry_run)
        served = self._servers.first if settings.rebuild else (await self._collection.server())[0]
        async with served.with_settings(timeout_s=_INGEST_TIMEOUT_S, retry=_INGEST_RETRY) as client:
            try:
                report = await ingest_paths(list(map(as_source, paths)), client, store, settings, on_progress, reader)
                if store and not settings.dry_run:
                    await calibrate(client, store)
                return report
            finally:
                self._collection.forget_version()  # the collection is new, or has a new version

    async def retrieve(
        self, question: str, *, history: Sequence[Turn] = (), **options: Unpack[SearchKeywords]
    ) -> Retrieved:
        """The best passages for a question.

        Args:
            question: the question, or the last question of a conversation.
            history: the conversation before it, oldest first.
            options: the fields of `SearchOptions`.

        Raises:
            InvalidOption, InvalidFilter: an option or the filter is invalid.
            NoSuchCollection, EncoderMismatch, StoreError: see `Store`.
            LLMError: rewriting failed.
            DeadlineExceeded: the call took longer than ``call_timeout_s``.
            RetritonError: see `AsyncClient.embed`.
        """
        return await self.search(question, SearchOptions.of(**options), history)

    async def search(
        self, question: str, options: SearchOptions, history: Sequence[Turn] = (), llm: LLM | None = None
    ) -> Retrieved:
        """As `retrieve`, with the options as one object, and ``llm`` in place of the one of this object."""
        async with self._within_time():
            version = await self._collection.version()
            try:
                return await version.retriever.retrieve(question, options, history, llm or self.llm)
            except StoreInterrupted:  # the search may be the cause
                raise
            except (StoreError, WrongEncoder):  # was its version dropped?
                if await asyncio.to_thread(lambda: version.store.is_current):
                    raise
                version = await self._collection.version_after(version)
            return await version.retriever.retrieve(question, options, history, llm or self.llm)

    async def prompt(
        self, question: str, *, history: Sequence[Turn] = (), **options: Unpack[SearchKeywords]
    ) -> PromptedQuestion:
        """The prompt for a question, with the passages that fit into its budget. Arguments and errors as `retrieve`."""
        return await self.prompted(question, SearchOptions.of(**options), history)

    async def prompted(
        self, question: str, options: SearchOptions, history: Sequence[Turn] = (), llm: LLM | None = None
    ) -> PromptedQuestion:
        """As `prompt`, with the options as one object, and ``llm`` in place of the one of this object."""
        async with self._within_time():
            return await self._prompted(question, options, history, llm)

    async def _prompted(
        self, question: str, options: SearchOptions, history: Sequence[Turn], llm: LLM | None
    ) -> PromptedQuestion:
        found = await self.search(question, options, history, llm)
        builder = (await self._collection.version()).builder
        start = time.perf_counter()
        left = threading.Event()
        try:
            prompt = await asyncio.to_thread(builder.build, question, found.passages, history, left.is_set)
        finally:
            left.set()  # a thread cannot be cancelled: it ends before its next passage
        assemble_ms = (time.perf_counter() - start) * 1e3
        stages = {stage: spent for stage, spent in found.latency_ms.items() if stage != "total"}
        latency_ms = {**stages, "assemble": assemble_ms, "total": found.latency_ms["total"] + assemble_ms}
        return PromptedQuestion(question, prompt, found.tokens_dropped, latency_ms)

    async def answer(
        self,
        question: str,
        *,
        llm: LLM | None = None,
        history: Sequence[Turn] = (),
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[SearchKeywords],
    ) -> Answer:
        """The LLM's answer from the retrieved passages, with its sources. Arguments and errors as `stream`."""
        async with self._within_time():
            stream = await self.stream(question, llm=llm, history=history, parameters=parameters, **options)
            return await stream.complete()

    async def stream(
        self,
        question: str,
        *,
        llm: LLM | None = None,
        history: Sequence[Turn] = (),
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[SearchKeywords],
    ) -> AnswerStream:
        """The answer as it is generated; its passages are known at once.

        Args:
            question: as for `retrieve`.
            llm: instead of the one of this object.
            history: as for `retrieve`.
            parameters: further parameters of the LLM, for example ``temperature``.
            options: the fields of `SearchOptions`.

        Raises:
            InvalidOption: there is no LLM; and as `retrieve`. Reading the stream raises `LLMError`.
        """
        llm = llm or self.llm
        if llm is None:
            raise InvalidOption("an answer needs an LLM: pass llm=LLM(url, model), or use prompt() without one")
        prompted = await self.prompted(question, SearchOptions.of(**options), history, llm)
        return AnswerStream(llm, prompted, parameters)

    async def store(self) -> Store:
        """The opened collection, for calls that this class does not offer. Its methods block: use threads."""
        return (await self._collection.version()).store

    async def encoder(self) -> EncoderInfo:
        """The encoder that embeds for this collection: the one that it was made with, as far as it is served.

        Raises:
            StoreError: Milvus failed.
            RetritonError: a server cannot be reached.
        """
        return (await self._collection.server())[1]

    async def switch(
        self, *, on_progress: OnProgress = lambda done, total: None, **options: Unpack[SwitchKeywords]
    ) -> SwitchReport:
        """Embeds the collection again with the encoder of ``next_url``, and makes searches use the result.

        Searches use the present version meanwhile, and what is written meanwhile is copied in the end. The present
        version is kept, see `roll_back`. Safe to interrupt and to run again.

        Args:
            on_progress: called with the number of copied chunks, and of all.
            options: the fields of `SwitchOptions`.

        Raises:
            InvalidOption: there is no ``next_url``, or an option is invalid.
            PipelineError: a chunk is too long for the new encoder.
            NoSuchCollection, StoreError: see `Store`.
            RetritonError: the server cannot be reached at first, or was unavailable for all retries later.
        """
        settings = SwitchOptions(**options)
        server = self._servers.next
        await server.encoder_info()  # fails soon; below, a restart of the server is waited for
        versions = await self._versions()
        async with server.with_settings(timeout_s=_INGEST_TIMEOUT_S, retry=_INGEST_RETRY) as client:
            report = await EncoderSwitch(client, self.collection, versions, settings, on_progress).run()
            self._collection.forget_version()
            await calibrate(client, (await self._collection.version()).store)
            return report

    async def roll_back(self, *, force: bool = False) -> str:
        """Makes searches use the version from before the last switch, without embedding; see `roll_back` for errors.

        Args:
            force: even if documents were written since the switch, which that version lacks.
        """
        return await asyncio.to_thread(roll_back, await self._versions(), force)

    async def finish_switch(self) -> list[str]:
        """Drops the former version, and leftovers of switches; returns their names. Raises `StoreError`."""
        return await asyncio.to_thread((await self._versions()).finish)

    @asynccontextmanager
    async def _within_time(self) -> AsyncIterator[None]:
        """Raises `DeadlineExceeded` after ``call_timeout_s``."""
        try:
            async with asyncio.timeout(self._call_timeout_s) as bound:
                yield
        except TimeoutError as error:
            if not bound.expired():
                raise
            raise DeadlineExceeded(f"the call took longer than call_timeout_s, {self._call_timeout_s:g} s") from error

    async def _versions(self) -> VersionSwitch:
        return VersionSwitch(await self._collection.connected())

    async def _store_for(self, dry_run: bool) -> Store | None:
        """The connection of an ingestion, which creates a missing file; None for a dry run without a file."""
        try:
            return await self._collection.connected(create=not dry_run)
        except NoSuchCollection:
            if dry_run:
                return None
            raise
