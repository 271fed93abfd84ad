"""Loads checkpoints into PyTorch, with pooling and normalisation, and exports them to ONNX."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from retriton_export.checkpoint import Checkpoint, Dense
from retriton_export.errors import UnsupportedCheckpoint

OPSET = 18
INPUTS = ("input_ids", "attention_mask")
PAIR_INPUTS = (*INPUTS, "token_type_ids")
PAIR_OUTPUT = "score"
# Not "embedding": the exporter names intermediate values after PyTorch operators such as `aten.embedding` and does not
# detect the collision. ONNX Runtime then rejects the graph ("Duplicate definition of name").
OUTPUT = "sentence_embedding"
ACTIVATIONS = {"Identity": nn.Identity, "Tanh": nn.Tanh, "GELU": nn.GELU, "ReLU": nn.ReLU, "Sigmoid": nn.Sigmoid}
HALF = {"fp16": torch.float16, "bf16": torch.bfloat16}
_LARGE_BYTES = 1_900_000_000  # protobuf limits a file to 2 GiB; larger weights are stored in a separate file


class SentenceEncoder(nn.Module):
    """An encoder with pooling, dense layers and normalisation.

    Maps ``input_ids`` and ``attention_mask``, int64 ``[batch, sequence]``, to float32 ``[batch, dimension]``.
    Rows are padded on the right.
    """

    def __init__(self, transformer: PreTrainedModel, pooling: str, normalize: bool, dense: nn.Sequential) -> None:
        super().__init__()
        self.transformer = transformer
        self.pooling = pooling
        self.dense = dense
        self.normalize = normalize

    @property
    def backbone(self) -> nn.Module:
        """The part that computes in the precision of the artefact; pooling and what follows computes in float32."""
        transformer: nn.Module = self.transformer
        return transformer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Computes one vector per row."""
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        vectors = self.dense(self._pool(states.float(), attention_mask))
        return nn.functional.normalize(vectors, p=2.0, dim=1) if self.normalize else vectors

    def _pool(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        if self.pooling == "cls":
            return states[:, 0]
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        if self.pooling == "mean":
            return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)  # every row has a token
        last = attention_mask.sum(1) - 1
        return states.gather(1, last.view(-1, 1, 1).expand(-1, 1, states.shape[-1])).squeeze(1)


class CrossEncoder(nn.Module):
    """A sequence classifier with one label and its activation.

    Maps ``input_ids``, ``attention_mask`` and ``token_type_ids``, int64 ``[batch, sequence]``, to float32
    ``[batch, 1]``. Models without token types ignore them, so that all cross-encoders have the same inputs.
    """

    def __init__(self, classifier: PreTrainedModel, activation: nn.Module, with_types: bool, pad_token_id: int) -> None:
        super().__init__()
        self.classifier = classifier
        self.activation = activation
        self._pad_token_id = pad_token_id
        self._with_types = with_types and getattr(classifier.config, "type_vocab_size", 0) > 1

    @property
    def backbone(self) -> nn.Module:
        """The part that computes in the precision of the artefact; the activation computes in float32."""
        classifier: nn.Module = self.classifier
        return classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Computes one score per row."""
        # Decoders find the last token of a row by the id of the padding token, whatever the mask says.
        input_ids = input_ids.masked_fill(attention_mask == 0, self._pad_token_id)
        if self._with_types:
            states = self.classifier(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).logits
        else:
            mask = attention_mask * (token_type_ids >= 0)  # keeps the unused input in the graph
            states = self.classifier(input_ids=input_ids, attention_mask=mask).logits
        scores: Tensor = self.activation(states.float())
        return scores


def load_cross_encoder(checkpoint: Checkpoint, with_types: bool, pad_token_id: int) -> CrossEncoder:
    """Loads a cross-encoder into PyTorch, float32, in evaluation mode: the reference of the parity gate.

    Args:
        checkpoint: checkpoint to load.
        with_types: whether its tokenizer returns token types.
        pad_token_id: of its tokenizer; the configuration of the model may name none.

    Raises:
        UnsupportedCheckpoint: `transformers` cannot load it as a sequence classifier.
    """
    classifier = _load(AutoModelForSequenceClassification, checkpoint.folder)
    classifier.config.get_text_config().pad_token_id = pad_token_id
    return CrossEncoder(classifier, ACTIVATIONS[checkpoint.activation](), with_types, pad_token_id).eval()


def load_encoder(checkpoint: Checkpoint) -> SentenceEncoder:
    """Loads an encoder into PyTorch, float32, in evaluation mode: the reference of the parity gate.

    Raises:
        UnsupportedCheckpoint: `transformers` cannot load it as an encoder.
    """
    transformer = _load(AutoModel, checkpoint.folder)
    if transformer.config.is_encoder_decoder:
        raise UnsupportedCheckpoint(f"{checkpoint.folder} is an encoder-decoder model, which has no sentence vector")
    dense = nn.Sequential(*(_load_dense(layer) for layer in checkpoint.dense))
    # eval() on the wrapper, because the exporter restores the training flag of the outermost module only, and would
    # leave dropout enabled in the inner ones.
    return SentenceEncoder(transformer, checkpoint.pooling, checkpoint.normalize, dense).eval()


def in_precision(model: SentenceEncoder | CrossEncoder, precision: str) -> SentenceEncoder | CrossEncoder:
    """Returns a copy whose transformer has weights in ``precision``: ``fp16`` or ``bf16``; the model itself for others.

    Buffers stay in float32: among them are the frequencies of rotary position embeddings, which half precision would
    move by a quarter of a turn at position 512.
    """
    if precision not in HALF:
        return model
    half = copy.deepcopy(model)
    for weight in half.backbone.parameters():
        weight.data = weight.data.to(HALF[precision])
    return half


def export_onnx(model: nn.Module, target: Path, inputs: Sequence[str], output: str) -> None:
    """Writes an ONNX graph with dynamic batch and sequence axes.

    Args:
        model: model in evaluation mode.
        target: file to write; weights that are too large for it are written to a file next to it.
        inputs: names of the int64 inputs ``[batch, sequence]``.
        output: name of the output.

    Raises:
        UnsupportedCheckpoint: the PyTorch exporter returned no graph.
    """
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations within the exporter
        program = torch.onnx.export(
            model,
            tuple(ids.clone() for _ in inputs),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=tuple(axes for _ in inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise UnsupportedCheckpoint("the PyTorch exporter returned no graph")
    weights_bytes = sum(weight.nbytes for weight in model.parameters())
    program.save(str(target), external_data=weights_bytes > _LARGE_BYTES)


def _load(auto: Any, folder: Path) -> PreTrainedModel:
    try:
        model: PreTrainedModel = auto.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, UnpicklingError) as error:
        raise UnsupportedCheckpoint(f"transformers cannot load {folder}: {error}") from error
    return model


def _load_dense(layer: Dense) -> nn.Sequential:
    linear = nn.Linear(layer.in_features, layer.out_features, layer.bias)
    weights = load_file(layer.weights) if layer.weights.suffix == ".safetensors" else torch.load(layer.weights)
    try:
        linear.load_state_dict({name.removeprefix("linear."): weight.float() for name, weight in weights.items()})
    except RuntimeError as error:
        raise UnsupportedCheckpoint(f"{layer.weights} does not fit its description: {error}") from error
    return nn.Sequential(linear, ACTIVATIONS[layer.activation]())
