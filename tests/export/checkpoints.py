"""Tiny checkpoints with random weights, laid out as sentence-transformers lays them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

LETTERS = [chr(code) for code in range(33, 127)]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY_SIZE = len(SPECIAL) + 2 * len(LETTERS)
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
FAMILIES = ("bert", "xlm-roberta", "roberta", "mpnet", "modernbert", "distilbert", "qwen3")
_PAD_IS_ONE = ("xlm-roberta", "roberta", "mpnet")  # they count positions from after the padding id


def tiny_bert(
    folder: Path,
    pooling: dict[str, object] | None = None,
    modules: tuple[str, ...] = ("Transformer", "Pooling", "Normalize"),
    prompts: dict[str, str] | None = None,
    max_tokens: int = 48,
    family: str = "bert",
) -> Path:
    """An encoder of two layers and 32 dimensions, with its tokenizer and its description."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    AutoModel.from_config(_config(family)).save_pretrained(folder)
    _tokenizer(family).save_pretrained(folder)
    layout = [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{module}" if i else "",
            "type": f"sentence_transformers.models.{module}",
        }
        for i, module in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(layout))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": max_tokens}))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts or {}}))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {"pooling_mode_mean_tokens": True}))
    for module in layout:
        if module["path"].endswith("_Dense"):
            _add_dense(folder / module["path"], 32, 24)
    return folder


def tiny_cross_encoder(folder: Path, family: str = "bert", labels: int = 1) -> Path:
    """A cross-encoder of the same size."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    config = _config(family)
    config.num_labels = labels
    model = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "norm" not in name.lower():
                weight *= 8  # random weights as they come would score all passages alike
    model.save_pretrained(folder)
    tokenizer = _tokenizer(family)
    tokenizer.model_max_length = 48
    tokenizer.save_pretrained(folder)
    return folder


def _config(family: str) -> PretrainedConfig:
    if family == "distilbert":
        shape = {"vocab_size": VOCABULARY_SIZE, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
        return AutoConfig.for_model(family, max_position_embeddings=64, **shape)
    if family == "qwen3":
        return AutoConfig.for_model(family, **SHAPE, num_key_value_heads=2, head_dim=8)
    ids = {"pad_token_id": _special(family).index("[PAD]"), "cls_token_id": 2, "sep_token_id": 3}
    positions = 64 + (2 if family in _PAD_IS_ONE else 0)
    return AutoConfig.for_model(family, **{**SHAPE, "max_position_embeddings": positions}, **ids)


def _special(family: str) -> tuple[str, ...]:
    return ("[UNK]", "[PAD]", *SPECIAL[2:]) if family in _PAD_IS_ONE else SPECIAL


def _add_dense(folder: Path, in_features: int, out_features: int) -> None:
    layer = torch.nn.Linear(in_features, out_features)
    folder.mkdir()
    save_file({f"linear.{name}": weight for name, weight in layer.state_dict().items()}, folder / "model.safetensors")
    config = {"in_features": in_features, "out_features": out_features, "bias": True}
    (folder / "config.json").write_text(
        json.dumps({**config, "activation_function": "torch.nn.modules.activation.Tanh"})
    )


def _tokenizer(family: str) -> PreTrainedTokenizerFast:
    pieces = [*_special(family), *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)]
    )
    types = ["token_type_ids"] if family == "bert" else []
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask", *types],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
