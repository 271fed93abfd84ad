"""Checks of a model's inputs that come from outside, where nobody has tokenized or batched them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_serving.contract.errors import BadParameter

Feed = Mapping[str, NDArray[np.int64]]
_TOKEN_TYPES = 2  # of BERT: query and passage


@dataclass(frozen=True)
class InputLimits:
    """What a direct call may send.

    Attributes:
        tokens_max: the most tokens of a call, padding included.
        text_tokens_max: the most tokens of one text: the model's limit.
        vocabulary: number of token ids.
    """

    tokens_max: int
    text_tokens_max: int
    vocabulary: int

    def check(self, feed: Feed) -> None:
        """Raises `BadParameter` for inputs that the model cannot compute, or that take too much of it."""
        ids = feed["input_ids"]
        rows, length = ids.shape
        if not rows or not length or length > self.text_tokens_max or rows * length > self.tokens_max:
            raise BadParameter(
                f"input_ids has {rows} rows of {length} tokens; a call has at least one row, rows of 1 to "
                f"{self.text_tokens_max} tokens, and at most {self.tokens_max} tokens in all",
                rows=rows,
                tokens=length,
                row_tokens_max=self.text_tokens_max,
                tokens_max=self.tokens_max,
            )
        for name, array in feed.items():
            if array.shape != ids.shape:
                raise BadParameter(f"{name} has the shape {list(array.shape)}, input_ids {list(ids.shape)}")
        self._check_range("input_ids", ids, self.vocabulary)
        self._check_range("attention_mask", feed["attention_mask"], 2)
        if not feed["attention_mask"].any(axis=1).all():
            raise BadParameter("a row of attention_mask is all zeros: there is no token to embed")
        if "token_type_ids" in feed:
            self._check_range("token_type_ids", feed["token_type_ids"], _TOKEN_TYPES)

    def _check_range(self, name: str, array: NDArray[np.int64], end: int) -> None:
        wrong = np.argwhere((array < 0) | (array >= end))
        if len(wrong):
            row, column = map(int, wrong[0])
            value = int(array[row, column])
            raise BadParameter(
                f"{name} has {value} at row {row}, column {column}; values are 0 to {end - 1}",
                value=value,
                row=row,
                column=column,
                value_max=end - 1,
            )
