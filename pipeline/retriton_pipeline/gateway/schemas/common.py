"""What request bodies have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.store.names import PATTERN, check_name

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


def _valid_name(name: str) -> str:
    try:
        return check_name(name)
    except InvalidOption as error:
        raise ValueError(str(error)) from None


CollectionName = Annotated[str, Field(pattern=PATTERN), AfterValidator(_valid_name)]


class RequestBody(BaseModel):
    """A body without type coercion, as the OpenAPI document describes it: "1" is not a number, 1 is not a boolean."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _with_integers(cls, values: Any) -> Any:
        """In JSON, 1.0 is an integer."""
        if not isinstance(values, dict):
            return values
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in values.items()
        }


class Usage(BaseModel):
    """Tokens that were embedded or ranked, with prompts and special tokens."""

    prompt_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, tokens: int) -> dict[str, int]:
        """The usage of ``tokens``, for a response that is serialised without validation."""
        return {"prompt_tokens": tokens, "total_tokens": tokens}
