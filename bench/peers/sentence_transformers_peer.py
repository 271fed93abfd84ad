"""Loads sentence-transformers. The variant is a data type of PyTorch, or the file of a graph in the checkpoint."""

from __future__ import annotations

from pathlib import Path

from sentence_transformers import (
    SentenceTransformer,
    export_dynamic_quantized_onnx_model,
    export_optimized_onnx_model,
)

from bench.peers.in_process import Embed, run


def load(checkpoint: Path, variant: str, batch: int) -> Embed:
    """The library sorts texts by length. Graphs are exported into the checkpoint's folder, for other peers, too."""
    if not variant.endswith(".onnx"):
        model = SentenceTransformer(str(checkpoint), device="cpu", model_kwargs={"torch_dtype": variant})
    else:
        if not (checkpoint / variant).exists():
            _export(checkpoint)
        model = _onnx(checkpoint, variant)
    return lambda texts: model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)


def _export(checkpoint: Path) -> None:
    model = _onnx(checkpoint)
    export_optimized_onnx_model(model, "O3", str(checkpoint))
    export_dynamic_quantized_onnx_model(model, "avx512_vnni", str(checkpoint))


def _onnx(checkpoint: Path, file: str | None = None) -> SentenceTransformer:
    options = {"provider": "CPUExecutionProvider"} | ({"file_name": file} if file else {})
    return SentenceTransformer(str(checkpoint), backend="onnx", device="cpu", model_kwargs=options)


if __name__ == "__main__":
    run(load)
