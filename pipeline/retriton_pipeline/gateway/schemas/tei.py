"""Embeddings, tokens and the description of the encoder, as text-embeddings-inference (TEI) defines them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from retriton_client import EncoderInfo, Truncate
from retriton_pipeline.gateway.schemas.common import TRUNCATE, RequestBody
from retriton_pipeline.gateway.schemas.embeddings import DIMENSIONS, TEXTS_MAX, OneOrManyTexts
from retriton_pipeline.gateway.schemas.synonyms import LOWER, InputType

_PRECISIONS = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


class TruncationOptions(RequestBody):
    """Whether long texts are truncated, and where."""

    truncate: bool | None = TRUNCATE
    truncation_direction: Annotated[Literal["left", "right"] | None, LOWER] = Field(
        None, description="`right` is the default."
    )

    @property
    def side(self) -> Truncate | None:
        """Where long texts are truncated; None if the request does not say whether."""
        if self.truncate is None:
            return None
        return ("START" if self.truncation_direction == "left" else "END") if self.truncate else "NONE"


class EmbedRequest(TruncationOptions):
    """Texts to embed."""

    inputs: OneOrManyTexts
    prompt_name: InputType = Field(None, description="The role of the texts, which selects prompt and lane.")
    normalize: bool = Field(True, description="Scales vectors to length one, if the encoder does not.")
    dimensions: int | None = DIMENSIONS


class TokenizeRequest(RequestBody):
    """Texts to split into tokens."""

    inputs: OneOrManyTexts
    add_special_tokens: bool = True
    prompt_name: InputType = Field(None, description="The role whose prompt precedes the texts; none without.")


class Token(BaseModel):
    """A token; the offsets are in characters of prompt and text, and null for special tokens."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class EncoderDescription(BaseModel):
    """The served encoder."""

    model_id: str
    model_sha: str = Field(description="The encoder's fingerprint.")
    model_dtype: str
    model_type: dict[Literal["embedding"], dict[str, str]]
    max_concurrent_requests: int
    max_input_length: int
    max_client_batch_size: int
    auto_truncate: bool
    version: str

    @classmethod
    def of(cls, encoder: EncoderInfo, truncate: Truncate, requests: int, version: str) -> EncoderDescription:
        """The description of an encoder behind a gateway of ``version`` with these settings."""
        return cls(
            model_id=encoder.name,
            model_sha=encoder.fingerprint,
            model_dtype=_PRECISIONS.get(encoder.precision, encoder.precision),
            model_type={"embedding": {}},
            max_concurrent_requests=requests,
            max_input_length=encoder.max_tokens,
            max_client_batch_size=TEXTS_MAX,
            auto_truncate=truncate != "NONE",
            version=version,
        )
