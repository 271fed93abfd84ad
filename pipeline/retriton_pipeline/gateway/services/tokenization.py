"""Texts to tokens, with the tokenizer of the served encoder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from tokenizers import Encoding

from retriton_client import EncoderInfo, Role
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.slots import FairSlots
from retriton_pipeline.tokens import served_tokenizer

CHARACTERS_MAX = 65_536  # of a request: the tokenizer needs more than a kilobyte of memory for each
_tokenizers = FairSlots(1)


async def tokens_json(texts: Sequence[str], encoder: EncoderInfo, role: Role | None, special: bool) -> bytes:
    """The tokens of each text, a list of lists in TEI's format.

    Args:
        texts: at least one.
        encoder: the served encoder.
        role: whose prompt precedes the texts; None for none.
        special: adds special tokens.

    Raises:
        ApiError: the texts are too long together.
    """
    prompt = encoder.prompts.get(role, "") if role else ""
    prompted = [prompt + text for text in texts]
    if (characters := sum(map(len, prompted))) > CHARACTERS_MAX:
        message = f"the request has {characters} characters, the limit is {CHARACTERS_MAX}: send fewer at once"
        raise ApiError(400, "invalid_request", message, "inputs")
    async with _tokenizers.slot():
        return await asyncio.to_thread(_tokenized, prompted, encoder, special)


def _tokenized(texts: list[str], encoder: EncoderInfo, special: bool) -> bytes:
    encodings = served_tokenizer(encoder.tokenizer).encode_batch(texts, add_special_tokens=special)
    return orjson.dumps([_tokens(encoding, text) for encoding, text in zip(encodings, texts, strict=True)])


def _tokens(encoding: Encoding, text: str) -> list[dict[str, Any]]:
    columns = (encoding.ids, encoding.tokens, encoding.special_tokens_mask, encoding.offsets)
    return [
        {"id": id_, "text": token, "special": True, "start": None, "stop": None}
        if is_special
        else {"id": id_, "text": text[start:stop], "special": False, "start": start, "stop": stop}
        for id_, token, is_special, (start, stop) in zip(*columns, strict=True)
    ]
