"""Splits documents into chunks along their structure: headings, then paragraphs, sentences and words.

A chunk stays on one page. A table is split between rows, and each of its chunks has the names of its columns.
"""

from retriton_pipeline.chunking.chunker import chunk_document
from retriton_pipeline.chunking.model import Chunk, ChunkSize, with_context

__all__ = ["Chunk", "ChunkSize", "chunk_document", "with_context"]
