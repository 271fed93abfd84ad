"""Writes a BERT checkpoint of any size with random weights, for measurements of speed and memory.

The default size is that of E5-large: 24 layers, 1,024 dimensions, 512 tokens. The vectors are meaningless.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from retriton_export import Checkpoint

_SPREAD = 3.0  # scales the embeddings: otherwise all texts have almost the same vector, and no ranking


def main() -> None:
    """Writes the folder, with the tokenizer of all-MiniLM-L6-v2, which is that of BERT."""
    parser = argparse.ArgumentParser(prog="bench.random_checkpoint", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--dimension", type=int, default=1024)
    parser.add_argument("--tokens", type=int, default=512)
    options = parser.parse_args()
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=options.dimension,
        num_hidden_layers=options.layers,
        num_attention_heads=options.dimension // 64,
        intermediate_size=4 * options.dimension,
        max_position_embeddings=options.tokens,
    )
    model = BertModel(config)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.mul_(_SPREAD)
    model.save_pretrained(options.folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if (source := Checkpoint.read().folder / name).exists():
            shutil.copy(source, options.folder)
    (options.folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": options.tokens}))


if __name__ == "__main__":
    main()
