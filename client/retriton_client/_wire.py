"""Texts as the inputs of a request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tritonclient.grpc import InferInput

from retriton_client._exceptions import InvalidRequest


def text_column(texts: Sequence[str], first_text: int = 0) -> InferInput:
    """The input ``text`` of the embedding lanes, ``[texts, 1]``; ``first_text`` numbers them in errors."""
    return _bytes_input("text", [[_utf8(text, first_text + place)] for place, text in enumerate(texts)])


def query_and_passages(query: str, passages: Sequence[str], first_passage: int = 0) -> list[InferInput]:
    """The inputs of the reranking lane, ``[1]`` and ``[passages]``."""
    return [
        _bytes_input("query", [_utf8(query, 0)]),
        _bytes_input("passages", [_utf8(text, first_passage + place) for place, text in enumerate(passages)]),
    ]


def _bytes_input(name: str, values: list[bytes] | list[list[bytes]]) -> InferInput:
    array = np.array(values, np.object_)
    return InferInput(name, list(array.shape), "BYTES").set_data_from_numpy(array)


def _utf8(text: str, index: int) -> bytes:
    try:
        return text.encode("utf-8")
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"text {index} is not a string of Unicode characters: {error}") from None
