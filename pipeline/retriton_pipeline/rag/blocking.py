"""`Rag`: the library for code without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from retriton_client import Retry, Tls
from retriton_client.blocking import run
from retriton_pipeline.defaults import DEFAULT_MILVUS
from retriton_pipeline.generation import DEFAULT_TEMPLATE, LLM, AnswerDelta
from retriton_pipeline.rag.answer import Answer, PromptedQuestion
from retriton_pipeline.rag.asynchronous import DEFAULT_URL, AsyncRag, StrPath
from retriton_pipeline.rag.stream import AnswerStream
from retriton_pipeline.retrieval import Passage, Retrieved, SearchKeywords, Turn
from retriton_pipeline.switching import OnProgress, SwitchKeywords, SwitchReport

if TYPE_CHECKING:
    from retriton_pipeline.ingest import IngestKeywords, IngestReport, Progress


class BlockingAnswerStream(Iterator[AnswerDelta]):
    """`AnswerStream`, blocking."""

    def __init__(self, stream: AnswerStream) -> None:
        self._stream = stream

    @property
    def prompted(self) -> PromptedQuestion:
        """The question with its prompt."""
        return self._stream.prompted

    @property
    def passages(self) -> list[Passage]:
        """The passages in the prompt; known before the first delta."""
        return self._stream.passages

    @property
    def answer(self) -> Answer:
        """The whole answer; once all deltas were read."""
        return self._stream.answer

    def __next__(self) -> AnswerDelta:
        """The next delta. Raises `LLMError` if the endpoint fails or the stream breaks off."""
        delta = run(_next(self._stream))
        if delta is None:
            raise StopIteration
        return delta

    def close(self) -> None:
        """Stops the LLM, unless the answer is complete."""
        run(self._stream.aclose())


class Rag:
    """`AsyncRag`, blocking. Thread-safe.

    Args:
        url, milvus, collection, milvus_token, consistency, llm, timeout_s, call_timeout_s, retry, tls,
            prompt_tokens, prompt_tokenizer, template, next_url: as for `AsyncRag`.
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
        next_url: str = "",
    ) -> None:
        self._rag = AsyncRag(
            url,
            milvus,
            collection,
            milvus_token=milvus_token,
            consistency=consistency,
            llm=llm,
            timeout_s=timeout_s,
            call_timeout_s=call_timeout_s,
            retry=retry,
            tls=tls,
            prompt_tokens=prompt_tokens,
            prompt_tokenizer=prompt_tokenizer,
            template=template,
            next_url=next_url,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, and releases the Milvus Lite file."""
        run(self._rag.close())

    def ingest(
        self,
        paths: Sequence[StrPath],
        *,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        **options: Unpack[IngestKeywords],
    ) -> IngestReport:
        """Reads, chunks, embeds and stores documents: see `AsyncRag.ingest`. ``on_progress`` runs in another thread."""
        return run(self._rag.ingest(paths, on_progress=on_progress, **options))

    def switch(
        self, *, on_progress: OnProgress = lambda done, total: None, **options: Unpack[SwitchKeywords]
    ) -> SwitchReport:
        """Embeds the collection again with the encoder of ``next_url``: see `AsyncRag.switch`."""
        return run(self._rag.switch(on_progress=on_progress, **options))

    def roll_back(self, *, force: bool = False) -> str:
        """Makes searches use the version from before the last switch: see `AsyncRag.roll_back`."""
        return run(self._rag.roll_back(force=force))

    def finish_switch(self) -> list[str]:
        """Drops the former version: see `AsyncRag.finish_switch`."""
        return run(self._rag.finish_switch())

    def retrieve(self, question: str, *, history: Sequence[Turn] = (), **options: Unpack[SearchKeywords]) -> Retrieved:
        """The best passages for a question: see `AsyncRag.retrieve`."""
        return run(self._rag.retrieve(question, history=history, **options))

    def prompt(
        self, question: str, *, history: Sequence[Turn] = (), **options: Unpack[SearchKeywords]
    ) -> PromptedQuestion:
        """The prompt for a question: see `AsyncRag.prompt`."""
        return run(self._rag.prompt(question, history=history, **options))

    def answer(
        self,
        question: str,
        *,
        llm: LLM | None = None,
        history: Sequence[Turn] = (),
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[SearchKeywords],
    ) -> Answer:
        """The LLM's answer with its sources: see `AsyncRag.answer`."""
        return run(self._rag.answer(question, llm=llm, history=history, parameters=parameters, **options))

    def stream(
        self,
        question: str,
        *,
        llm: LLM | None = None,
        history: Sequence[Turn] = (),
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[SearchKeywords],
    ) -> BlockingAnswerStream:
        """The answer as it is generated: see `AsyncRag.stream`."""
        stream = run(self._rag.stream(question, llm=llm, history=history, parameters=parameters, **options))
        return BlockingAnswerStream(stream)


async def _next(stream: AnswerStream) -> AnswerDelta | None:
    return await anext(stream, None)
