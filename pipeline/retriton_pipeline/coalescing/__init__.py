"""Concurrent requests share calls to the servers behind them."""

from retriton_pipeline.coalescing.coalescer import Coalescer
from retriton_pipeline.coalescing.embedder import CoalescingEmbedder, EmbeddingKey

__all__ = ["Coalescer", "CoalescingEmbedder", "EmbeddingKey"]
