"""Loads fastembed. The variant is the file of a graph that sentence-transformers has exported."""

from __future__ import annotations

from pathlib import Path

from fastembed import TextEmbedding  # type: ignore[import-not-found]
from fastembed.common.model_description import ModelSource, PoolingType  # type: ignore[import-not-found]

from bench.peers.in_process import Embed, by_length, run


def load(checkpoint: Path, variant: str, batch: int) -> Embed:
    """Registers the checkpoint as a custom model with mean pooling. The library does not sort texts by length."""
    TextEmbedding.add_custom_model(
        model="peer",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="peer/peer"),
        dim=384,
        model_file=variant,
    )
    model = TextEmbedding("peer", specific_model_path=str(checkpoint), providers=["CPUExecutionProvider"])
    return lambda texts: by_length(texts, batch, lambda part: model.embed(part, batch_size=batch))


if __name__ == "__main__":
    run(load)
