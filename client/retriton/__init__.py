"""Triton-served retrieval inference for RAG: the client, and the library over a Retriton server.

with Client("127.0.0.1:8001") as client:
    vectors = client.embed_queries(["what is dynamic batching?"])  # float32 [1, dimension]

with Rag("127.0.0.1:8001", milvus="documents.db") as rag:  # pip install 'retriton[documents]'
    rag.ingest(["docs/"])
    found = rag.retrieve("why are there two lanes?")

Every name is imported when it is first used: the client needs the base install, the library the extra ``rag``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retriton_client import (
        AsyncClient,
        Client,
        DeadlineExceeded,
        Embeddings,
        EncoderInfo,
        ForkedProcess,
        InvalidRequest,
        Limits,
        NotInstalled,
        Overloaded,
        RerankerInfo,
        RetritonError,
        Retry,
        Role,
        Scores,
        ServerFault,
        TextTooLong,
        Tls,
        Truncate,
        Unavailable,
        WrongEncoder,
    )
    from retriton_pipeline.chunking import ChunkSize
    from retriton_pipeline.errors import PipelineError
    from retriton_pipeline.generation import LLM, AnswerDelta, Prompt
    from retriton_pipeline.ingest import IngestOptions, IngestReport, Progress, Skipped
    from retriton_pipeline.rag import Answer, AnswerStream, AsyncRag, PromptedQuestion, Rag
    from retriton_pipeline.retrieval import Passage, Retrieved, SearchOptions, Turn

    __version__: str

__all__ = [
    "LLM",
    "Answer",
    "AnswerDelta",
    "AnswerStream",
    "AsyncClient",
    "AsyncRag",
    "ChunkSize",
    "Client",
    "DeadlineExceeded",
    "Embeddings",
    "EncoderInfo",
    "ForkedProcess",
    "IngestOptions",
    "IngestReport",
    "InvalidRequest",
    "Limits",
    "NotInstalled",
    "Overloaded",
    "Passage",
    "PipelineError",
    "Progress",
    "Prompt",
    "PromptedQuestion",
    "Rag",
    "RerankerInfo",
    "Retrieved",
    "RetritonError",
    "Retry",
    "Role",
    "Scores",
    "SearchOptions",
    "ServerFault",
    "Skipped",
    "TextTooLong",
    "Tls",
    "Truncate",
    "Turn",
    "Unavailable",
    "WrongEncoder",
]
_CLIENT = "retriton_client"  # the home of names that are not listed below
_HOMES = {
    **dict.fromkeys(["Answer", "AnswerStream", "AsyncRag", "PromptedQuestion", "Rag"], "retriton_pipeline.rag"),
    **dict.fromkeys(["Passage", "Retrieved", "SearchOptions", "Turn"], "retriton_pipeline.retrieval"),
    **dict.fromkeys(["LLM", "AnswerDelta", "Prompt"], "retriton_pipeline.generation"),
    **dict.fromkeys(["IngestOptions", "IngestReport", "Progress", "Skipped"], "retriton_pipeline.ingest"),
    "ChunkSize": "retriton_pipeline.chunking",
    "PipelineError": "retriton_pipeline.errors",
}


def __getattr__(name: str) -> Any:
    """Imports a name on first use (PEP 562). Raises `MissingExtra` if its extra is not installed."""
    if name == "__version__":
        from importlib.metadata import version

        return version("retriton")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from retriton.extras import requires

    home = _HOMES.get(name, _CLIENT)
    with requires("documents" if home.endswith(".ingest") else "rag", f"retriton.{name}"):
        value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
