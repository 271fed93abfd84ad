"""A query and a passage as one row of tokens: for cross-encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Encoding, Tokenizer

from retriton_serving.batching.padding import TokenIds
from retriton_serving.batching.tokenization import TokenizedText, Truncate
from retriton_serving.batching.word_cache import Ids
from retriton_serving.contract.errors import BadText, TextTooLong

_TYPE_BITS = 32


class Pair(NamedTuple):
    """A query and one passage."""

    query: str
    passage: str


class PairTokenizer:
    """Tokenizes pairs; a token's id and its type (0 in the query, 1 in the passage) are one number: see `unpack`.

    Args:
        tokenizer_file: a Hugging Face ``tokenizer.json``; its own padding and truncation are switched off.
        max_tokens: the most tokens of a pair, special tokens included.
    """

    def __init__(self, tokenizer_file: Path, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._cutting = {}
        for truncate, direction in ((Truncate.START, "left"), (Truncate.END, "right")):
            cutting = Tokenizer.from_file(str(tokenizer_file))
            cutting.no_padding()
            cutting.enable_truncation(max_tokens, strategy="only_second", direction=direction)
            self._cutting[truncate] = cutting

    def tokenize(self, pairs: Sequence[Pair]) -> list[Ids]:
        """Packed ids of every pair, int64 ``[tokens]``, untruncated."""
        return [_pack(encoding) for encoding in self._tokenizer.encode_batch([tuple(pair) for pair in pairs])]

    def fit(self, pair: Pair, ids: Ids, truncate: Truncate, index: int) -> TokenizedText:
        """Truncates the passage so that the pair fits.

        Raises:
            TextTooLong: the pair exceeds the limit, and ``truncate`` is NONE; ``index`` is the place of the passage.
            BadText: the query leaves no room for the passage.
        """
        if len(ids) <= self.max_tokens:
            return TokenizedText(ids)
        if truncate is Truncate.NONE:
            raise TextTooLong(index, len(ids), self.max_tokens)
        query_tokens = len(self._tokenizer.encode(pair.query, add_special_tokens=False).ids)
        special = self._tokenizer.num_special_tokens_to_add(True)
        if query_tokens + special >= self.max_tokens:
            raise BadText(
                "QUERY_TOO_LONG",
                f"the query has {query_tokens} tokens, which leaves none of {self.max_tokens} for a passage",
                tokens=query_tokens,
                tokens_max=self.max_tokens,
            )
        cut = _pack(self._cutting[truncate].encode(pair.query, pair.passage))
        return TokenizedText(cut, dropped=len(ids) - len(cut))


def unpack(packed: TokenIds) -> tuple[TokenIds, TokenIds]:
    """Ids and types of tokens, of the same shape."""
    return packed & ((1 << _TYPE_BITS) - 1), packed >> _TYPE_BITS


def _pack(encoding: Encoding) -> Ids:
    return np.array(encoding.ids, np.int64) | (np.array(encoding.type_ids, np.int64) << _TYPE_BITS)
