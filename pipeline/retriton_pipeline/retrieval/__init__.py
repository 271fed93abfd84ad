"""A question to ranked passages."""

from retriton_pipeline.retrieval.options import SearchOptions, Turn
from retriton_pipeline.retrieval.retriever import Retrieved, Retriever

__all__ = ["Retrieved", "Retriever", "SearchOptions", "Turn"]
