"""What the bodies of requests have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Body(BaseModel):
    """A body that is taken as the OpenAPI document says, and not guessed: "1" is no number, and 1 no truth."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _with_integers(cls, given: Any) -> Any:
        """In JSON, 1.0 is an integer."""
        if not isinstance(given, dict):
            return given
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in given.items()
        }
