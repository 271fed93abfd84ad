"""A question to ranked passages."""

from retriton_pipeline.retrieval.options import RetrievalOptions, Turn
from retriton_pipeline.retrieval.retriever import Retrieved, Retriever

__all__ = ["RetrievalOptions", "Retrieved", "Retriever", "Turn"]
