"""Loads EmbedAnything. The variant is candle, or the file of a graph in the checkpoint's folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.peers.in_process import Embed, by_length, run

MODEL = "peer/peer"


def load(checkpoint: Path, variant: str, batch: int) -> Embed:
    """The library opens models of the Hub only: the checkpoint becomes an entry of a cache in HF_HOME."""
    os.environ["HF_HOME"] = str(_cache(checkpoint))
    import embed_anything as library  # type: ignore[import-not-found]

    if variant == "candle":
        model = library.EmbeddingModel.from_pretrained_hf(model_id=MODEL)
    else:
        model = library.EmbeddingModel.from_pretrained_onnx(
            library.WhichModel.Bert, hf_model_id=MODEL, path_in_repo=variant
        )
    config = library.TextEmbedConfig(batch_size=batch)

    def embed(texts: list[str]) -> list[list[float]]:
        return [item.embedding for item in library.embed_query(texts, embedder=model, config=config)]

    return lambda texts: by_length(texts, batch, embed)


def _cache(checkpoint: Path) -> Path:
    home = checkpoint.parent / "hub"
    entry = home / "hub" / f"models--{MODEL.replace('/', '--')}"
    (entry / "refs").mkdir(parents=True, exist_ok=True)
    (entry / "refs" / "main").write_text("0" * 40)
    shutil.copytree(checkpoint, entry / "snapshots" / ("0" * 40), dirs_exist_ok=True)
    return home


if __name__ == "__main__":
    run(load)
