"""What goes in and what comes out."""

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
    """Vectors and what they cost, in the order of the texts.

    Attributes:
        vectors: float32 ``[texts, dimension]``.
        tokens: int32 ``[texts]``, the tokens that were embedded, prefix and special tokens included.
        tokens_dropped: int32 ``[texts]``, the tokens that truncation dropped.
    """

    vectors: NDArray[np.float32]
    tokens: NDArray[np.int32]
    tokens_dropped: NDArray[np.int32]


@dataclass(frozen=True)
class Scores:
    """How well passages fit a query, in the order of the passages.

    Attributes:
        scores: float32 ``[passages]``, the higher the better.
        tokens: int32 ``[passages]``, the tokens of query and passage together, special tokens included.
        tokens_dropped: int32 ``[passages]``, the tokens that truncation dropped.
    """

    scores: NDArray[np.float32]
    tokens: NDArray[np.int32]
    tokens_dropped: NDArray[np.int32]


@dataclass(frozen=True)
class EncoderInfo:
    """The encoder that a server serves.

    Attributes:
        name: the checkpoint's name.
        fingerprint: identifies the vector space; vectors of other fingerprints cannot be compared.
        dimension: length of one vector.
        max_tokens: the most tokens of one text, prefix and special tokens included.
        normalized: whether vectors have length one.
        prompts: the prefix that the server puts before texts, by role.
        precision: of the engine, for example ``fp32``.
        tokenizer: the served tokenizer, as the text of a Hugging Face ``tokenizer.json``.
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
        """Reads the two outputs of the model `encoder_info`."""
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
    """The cross-encoder that a server serves.

    Attributes:
        name: the checkpoint's name.
        max_tokens: the most tokens of query and passage together, special tokens included.
        activation: what was made of the last layer's value to give the score, a class of ``torch.nn``.
    """

    name: str
    max_tokens: int
    activation: str

    @classmethod
    def parse(cls, manifest: bytes) -> RerankerInfo | None:
        """Reads the output ``cross_encoder`` of the model `encoder_info`; None where it is empty."""
        if not manifest:
            return None
        encoder = json.loads(manifest)["encoder"]
        return cls(encoder["name"], encoder["max_tokens"], encoder["activation"])
