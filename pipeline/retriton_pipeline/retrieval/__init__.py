"""A question to ranked passages."""

from retriton_pipeline.retrieval.options import Fusion, Mode, SearchKeywords, SearchOptions, Turn
from retriton_pipeline.retrieval.passage import Passage, Retrieved
from retriton_pipeline.retrieval.retriever import Retriever

__all__ = ["Fusion", "Mode", "Passage", "Retrieved", "Retriever", "SearchKeywords", "SearchOptions", "Turn"]
