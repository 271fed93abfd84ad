"""Token ids to texts: clients that know the served tokenizer may send either."""

from __future__ import annotations

import asyncio
from typing import Any

from retriton_client import EncoderInfo
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import TextObject
from retriton_pipeline.tokens import served_tokenizer

IDS_HEADER = "X-Retriton-Token-Ids"
TOKEN_IDS_MAX = 300_000  # of a request, as OpenAI
_INLINE_TOKEN_IDS = 1000  # fewer are decoded in a millisecond
_SEQUENCES_PER_CALL = 64
_REFUSED = (
    "the input is token ids, which are other words in another tokenizer: send texts (in LangChain's OpenAIEmbeddings, "
    f"check_embedding_ctx_length=False), or, with ids of the tokenizer of {{}}, the header {IDS_HEADER}: own"
)


async def texts_of(
    value: str | list[str] | list[str | TextObject] | list[int] | list[list[int]],
    encoder: EncoderInfo,
    declared: str | None,
    default: bool,
) -> list[str]:
    """The texts of a request's input.

    Args:
        value: the input.
        encoder: the served encoder.
        declared: whose token ids these are, by the request's header: ``own``, or the fingerprint of the encoder.
        default: whether those of requests without the header are of the served tokenizer.

    Raises:
        ApiError: there are token ids that are not known to be of the served tokenizer, or too many, or some that are
            not in its vocabulary.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value[0], str | TextObject):
        return [item.text if isinstance(item, TextObject) else str(item) for item in value]
    _check_own(encoder, declared, default)
    sequences: Any = value if isinstance(value[0], list) else [value]
    if (count := sum(map(len, sequences))) > TOKEN_IDS_MAX:
        message = f"the request has {count} token ids, the limit is {TOKEN_IDS_MAX}: send fewer at once"
        raise ApiError(400, "invalid_request", message, "input")
    if count <= _INLINE_TOKEN_IDS:
        return _decoded(sequences, encoder)
    return await asyncio.to_thread(_decoded, sequences, encoder)


def _check_own(encoder: EncoderInfo, declared: str | None, default: bool) -> None:
    if declared not in (None, "own", encoder.fingerprint):
        message = f"{IDS_HEADER} is {declared[:100]!r}; the fingerprint of {encoder.name} is {encoder.fingerprint}"
        raise ApiError(400, "token_ids_refused", message, IDS_HEADER)
    if declared is None and not default:
        raise ApiError(400, "token_ids_refused", _REFUSED.format(encoder.name), "input")


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
