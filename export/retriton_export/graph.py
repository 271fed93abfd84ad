"""The checkpoint as one graph: token ids in, pooled and normalised vectors out."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from retriton_export.checkpoint import Checkpoint
from retriton_export.errors import UnsupportedCheckpoint

OPSET = 18
INPUTS = ["input_ids", "attention_mask"]
# Not "embedding": the exporter names a graph's inner values after PyTorch's operators, `aten.embedding` among them,
# does not see the collision, and ONNX Runtime rejects the graph ("Duplicate definition of name").
OUTPUT = "sentence_embedding"


class SentenceEncoder(nn.Module):
    """An encoder with its pooling and normalisation.

    Maps ``input_ids`` and ``attention_mask``, int64 ``[batch, sequence]``, to float32 ``[batch, dimension]``.
    Rows are padded on the right.
    """

    def __init__(self, transformer: PreTrainedModel, pooling: str, normalize: bool) -> None:
        super().__init__()
        self.dimension = int(transformer.config.hidden_size)
        self.transformer = transformer
        self.pooling = pooling
        self.normalize = normalize

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Computes one vector a row."""
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        vectors = self._pool(states, attention_mask)
        return nn.functional.normalize(vectors, p=2.0, dim=1) if self.normalize else vectors

    def _pool(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        if self.pooling == "cls":
            return states[:, 0]
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        if self.pooling == "mean":
            return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        last = attention_mask.sum(1) - 1
        return states.gather(1, last.view(-1, 1, 1).expand(-1, 1, states.shape[-1])).squeeze(1)


def load_encoder(checkpoint: Checkpoint) -> SentenceEncoder:
    """The checkpoint in PyTorch, float32, in evaluation mode: the reference of the parity gate.

    Raises:
        UnsupportedCheckpoint: `transformers` cannot load it as an encoder.
    """
    try:
        transformer = AutoModel.from_pretrained(checkpoint.folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise UnsupportedCheckpoint(f"transformers cannot load {checkpoint.folder}: {error}") from error
    # eval() on the wrapper: the exporter restores *its* training flag, and would leave dropout on below.
    return SentenceEncoder(transformer, checkpoint.pooling, checkpoint.normalize).eval()


def export_onnx(encoder: SentenceEncoder, target: Path) -> None:
    """Writes the graph, weights inside, with dynamic batch and sequence axes."""
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            encoder,
            (ids, torch.ones_like(ids)),
            input_names=INPUTS,
            output_names=[OUTPUT],
            dynamic_shapes=(axes, axes),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise UnsupportedCheckpoint("the PyTorch exporter returned no graph")
    program.save(str(target), external_data=False)
