"""The library: ingest documents, retrieve passages, answer questions. Everything above it is a thin caller."""

from retriton_pipeline.defaults import DEFAULT_MILVUS
from retriton_pipeline.rag.answer import Answer, PromptedQuestion
from retriton_pipeline.rag.asynchronous import AsyncRag
from retriton_pipeline.rag.blocking import Rag
from retriton_pipeline.rag.stream import AnswerStream

__all__ = ["DEFAULT_MILVUS", "Answer", "AnswerStream", "AsyncRag", "PromptedQuestion", "Rag"]
