"""Token ids to texts: clients may send either."""

from __future__ import annotations

from typing import Any

from retriton_client import EncoderInfo
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.tokens import served_tokenizer


def texts_of(value: str | list[str] | list[int] | list[list[int]], encoder: EncoderInfo) -> list[str]:
    """The texts of a request's input.

    Raises:
        ApiError: token ids are not in the served tokenizer's vocabulary.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value[0], str):
        return [str(text) for text in value]
    sequences: Any = value if isinstance(value[0], list) else [value]
    tokenizer = served_tokenizer(encoder.tokenizer)
    size = tokenizer.get_vocab_size()
    if (largest := max(map(max, sequences))) >= size:
        message = f"token id {largest} is not of the tokenizer of {encoder.name}, which has {size}: send text instead"
        raise ApiError(400, "unknown_token", message, "input")
    texts: list[str] = tokenizer.decode_batch(sequences)
    return texts
