"""What request bodies have in common."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.gateway.storage.identifiers import is_vector_store
from retriton_pipeline.store.names import PATTERN, check_name

TRUNCATE = Field(None, description="For texts that are too long; the default is the gateway's: `NONE` refuses them.")
_INT64 = 2.0**63
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""An integer without bounds, which JSON parsers read as a float if it has more than 64 bits."""
Count = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
"""As `Whole`, of at least 1."""


def _valid_name(name: str) -> str:
    try:
        valid = check_name(name)
    except InvalidOption as error:
        raise ValueError(str(error)) from None
    if is_vector_store(name):  # which belongs to one key
        raise ValueError(f"{name} is a vector store: use /v1/vector_stores")
    return valid


CollectionName = Annotated[str, Field(pattern=PATTERN), AfterValidator(_valid_name)]


def one_or_many(value: Any) -> str:
    """The tag of a value that is either one thing or a list, so that an error is that of the shape that was sent."""
    return "[many]" if isinstance(value, list) else "[one]"


ONE_OR_MANY = Discriminator(one_or_many)  # between members with the tags [one] and [many]


def _values(annotation: Any) -> list[str]:
    """The texts that a field of this type may have, if it is a choice."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return [value for value in arguments if isinstance(value, str)]
    members = arguments[:1] if origin is Annotated else arguments if origin in (Union, UnionType) else ()
    return [value for member in members for value in _values(member)]


@cache
def _spellings(model: type[BaseModel]) -> dict[str, dict[str, str | None]]:
    """The optional choices of a model: their values by their lower case; the empty one is null."""
    optional = {name: field.annotation for name, field in model.model_fields.items() if not field.is_required()}
    choices = {name: {value.lower(): value for value in _values(kind)} for name, kind in optional.items()}
    return {name: {"": None, **values} for name, values in choices.items() if values}


def _allow_empty(field: dict[str, Any]) -> None:
    """Adds the empty choice to the schema of an optional field, if it is not there."""
    kinds = field["anyOf"]
    if not any("" in kind.get("enum", (kind.get("const"),)) for kind in kinds):
        kinds.append({"type": "string", "const": ""})


class RequestBody(BaseModel):
    """A body without type coercion, as the OpenAPI document describes it: "1" is not a number, 1 is not a boolean.

    In an optional field, null is its default, and so is an empty choice; choices may be in any case.
    """

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, values: Any) -> Any:
        """In JSON, 1.0 is an integer, if it fits into 64 bits; and clients send null for what they leave open."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        for name, spellings in _spellings(cls).items():
            if isinstance(value := values.get(name), str):
                values = {**values, name: spellings.get(value.lower(), value)}
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _INT64 else value
            for name, value in values.items()
            if value is not None or (name in fields and fields[name].is_required())
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The OpenAPI document allows null in optional fields, and the empty choice."""
        found = handler(schema)
        described = handler.resolve_ref_schema(found)
        required = described.get("required", ())
        for name, field in described.get("properties", {}).items():
            if name not in required and {"type": "null"} not in field.get("anyOf", ()):
                outer = {key: field.pop(key) for key in ("title", "description", "default") if key in field}
                described["properties"][name] = {"anyOf": [field, {"type": "null"}], **outer}
            if name in _spellings(cls):
                _allow_empty(described["properties"][name])
        return found


class TextObject(BaseModel):
    """A text as an object."""

    text: Text


class Usage(BaseModel):
    """Tokens that were embedded or ranked, with prompts and special tokens."""

    prompt_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, tokens: int) -> dict[str, int]:
        """The usage of ``tokens``, for a response that is serialised without validation."""
        return {"prompt_tokens": tokens, "total_tokens": tokens}
