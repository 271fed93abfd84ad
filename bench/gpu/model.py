"""An encoder of BERT's shape with random weights, written in PyTorch alone, and its tokenizer.

It has the matrix products, the attention and the normalisations of E5-large, so it takes as long. Its vectors mean
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn
from torch.nn import functional

WORDS = 1000
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class Shape:
    """The size of an encoder.

    Attributes:
        layers, hidden, intermediate, heads: of the transformer.
        tokens: maximum number of tokens of a text.
        vocabulary: rows of the table of embeddings.
    """

    layers: int = 24
    hidden: int = 1024
    intermediate: int = 4096
    heads: int = 16
    tokens: int = 512
    vocabulary: int = 30522

    def flop(self, tokens: int, length: int) -> float:
        """Floating-point operations of the matrix products for ``tokens`` tokens in rows of ``length``."""
        per_layer = 2 * (4 * self.hidden**2 + 2 * self.hidden * self.intermediate) + 4 * length * self.hidden
        return float(tokens * self.layers * per_layer)


E5_LARGE = Shape()
SMALL = Shape(layers=4, hidden=128, intermediate=512, heads=2, tokens=128)


class _Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.up = nn.Linear(shape.hidden, shape.intermediate)
        self.down = nn.Linear(shape.intermediate, shape.hidden)
        self.norms = nn.ModuleList([nn.LayerNorm(shape.hidden) for _ in range(2)])

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        rows, length, hidden = states.shape
        parts = self.qkv(states).view(rows, length, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=mask)
        states = self.norms[0](states + self.out(mixed.transpose(1, 2).reshape(rows, length, hidden)))
        updated: Tensor = self.norms[1](states + self.down(functional.gelu(self.up(states))))
        return updated


class Encoder(nn.Module):
    """Maps ids and mask, int64 ``[rows, length]``, to float32 vectors of length one, ``[rows, hidden]``.

    Args:
        shape: its size.
        dtype: of the transformer's weights.
    """

    def __init__(self, shape: Shape, dtype: torch.dtype) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.positions = nn.Embedding(shape.tokens, shape.hidden)
        self.layers = nn.ModuleList([_Layer(shape) for _ in range(shape.layers)])
        self.to(dtype)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Computes one vector per row, by mean pooling."""
        states = self.words(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        visible = mask[:, None, None, :].bool()
        for layer in self.layers:
            states = layer(states, visible)
        weights = mask.unsqueeze(-1).float()
        return functional.normalize((states.float() * weights).sum(1) / weights.sum(1), dim=1)


def tokenizer() -> Tokenizer:
    """A tokenizer with one token for each of the words ``w0`` to ``w999``."""
    vocabulary = {piece: number for number, piece in enumerate([*_SPECIAL, *(f"w{n}" for n in range(WORDS))])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made
