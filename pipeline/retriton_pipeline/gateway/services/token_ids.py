"""Token ids to texts: clients may send either."""

from __future__ import annotations

import asyncio
from typing import Any

from retriton_client import EncoderInfo
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.tokens import served_tokenizer

TOKEN_IDS_MAX = 300_000  # of a request, as OpenAI
_INLINE_TOKEN_IDS = 1000  # fewer are decoded in a millisecond
_SEQUENCES_PER_CALL = 64


async def texts_of(value: str | list[str] | list[int] | list[list[int]], encoder: EncoderInfo) -> list[str]:
    """The texts of a request's input.

    Raises:
        ApiError: there are too many token ids, or some that are not in the served tokenizer's vocabulary.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value[0], str):
        return [str(text) for text in value]
    sequences: Any = value if isinstance(value[0], list) else [value]
    if (count := sum(map(len, sequences))) > TOKEN_IDS_MAX:
        message = f"the request has {count} token ids, the limit is {TOKEN_IDS_MAX}: send fewer at once"
        raise ApiError(400, "invalid_request", message, "input")
    if count <= _INLINE_TOKEN_IDS:
        return _decoded(sequences, encoder)
    return await asyncio.to_thread(_decoded, sequences, encoder)


def _decoded(sequences: list[list[int]], encoder: EncoderInfo) -> list[str]:
    tokenizer = served_tokenizer(encoder.tokenizer)
    size = tokenizer.get_vocab_size()
    if (largest := max(map(max, sequences))) >= size:
        message = f"token id {largest} is not of the tokenizer of {encoder.name}, which has {size}: send text instead"
        raise ApiError(400, "unknown_token", message, "input")
    texts: list[str] = []
    for start in range(0, len(sequences), _SEQUENCES_PER_CALL):
        texts += tokenizer.decode_batch(sequences[start : start + _SEQUENCES_PER_CALL])
    return texts
