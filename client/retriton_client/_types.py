"""Argument and result types of the client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Role = Literal["query", "passage"]
Truncate = Literal["NONE", "START", "END"]


@dataclass(frozen=True)
class Embeddings:
    """Vectors and token counts, in the order of the texts.

    Attributes:
        vectors: float32 ``[texts, dimension]``.
        tokens: int32 ``[texts]``, number of embedded tokens, including prefix and special tokens.
        tokens_dropped: int32 ``[texts]``, number of tokens that truncation dropped.
    """

    vectors: NDArray[np.float32]
    tokens: NDArray[np.int32]
    tokens_dropped: NDArray[np.int32]


@dataclass(frozen=True)
class Scores:
    """Relevance scores and token counts, in the order of the passages.

    Attributes:
        scores: float32 ``[passages]``; higher means more relevant.
        tokens: int32 ``[passages]``, number of tokens of query and passage, including special tokens.
        tokens_dropped: int32 ``[passages]``, number of tokens that truncation dropped.
    """

    scores: NDArray[np.float32]
    tokens: NDArray[np.int32]
    tokens_dropped: NDArray[np.int32]


@dataclass(frozen=True)
class EncoderInfo:
    """Description of a served encoder.

    Attributes:
        name: name of the checkpoint.
        fingerprint: identifies the vector space; vectors with different fingerprints are not comparable.
        dimension: number of values in a vector.
        max_tokens: maximum number of tokens of a text, including prefix and special tokens.
        normalized: whether vectors have length one.
        prompts: prefix that the server adds to texts, by role.
        precision: precision of the engine, for example ``fp32``.
        tokenizer: content of the Hugging Face ``tokenizer.json``.
    """

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    normalized: bool
    prompts: dict[str, str]
    precision: str
    tokenizer: str

    @classmethod
    def parse(cls, manifest: bytes, tokenizer: bytes) -> EncoderInfo:
        """Parses the two outputs of the model ``encoder_info``.

        Raises:
            ValueError, KeyError, TypeError: the manifest is malformed.
        """
        document = json.loads(manifest)
        encoder = document["encoder"]
        return cls(
            name=encoder["name"],
            fingerprint=encoder["fingerprint"],
            dimension=encoder["dimension"],
            max_tokens=encoder["max_tokens"],
            normalized=encoder["normalized"],
            prompts=encoder["prompts"],
            precision=document["artefact"]["precision"],
            tokenizer=tokenizer.decode("utf-8"),
        )


@dataclass(frozen=True)
class RerankerInfo:
    """Description of a served cross-encoder.

    Attributes:
        name: name of the checkpoint.
        max_tokens: maximum number of tokens of query and passage together, including special tokens.
        activation: class of ``torch.nn`` that maps the output of the last layer to the score.
    """

    name: str
    max_tokens: int
    activation: str

    @classmethod
    def parse(cls, manifest: bytes) -> RerankerInfo | None:
        """Parses the output ``cross_encoder`` of the model ``encoder_info``; None if it is empty.

        Raises:
            ValueError, KeyError, TypeError: the manifest is malformed.
        """
        if not manifest:
            return None
        encoder = json.loads(manifest)["encoder"]
        return cls(encoder["name"], encoder["max_tokens"], encoder["activation"])
