"""What is wrong with a request that does not match the OpenAPI document: one field of it, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retriton_pipeline.gateway.errors import ApiError

_OBJECTS = ("model_type", "model_attributes_type", "dict_type")
_BLANK = "Text should have a character that is not white space"
_NO_FILE = "it is not a file: its part of the form has no filename"
_Path = tuple[str, ...]


def invalid_request(errors: Sequence[Any], body: Any) -> ApiError:
    """The error for what pydantic reports.

    Args:
        errors: in the order of the fields. Where a value may be of several kinds, there is one for each of them.
        body: that was sent; what is wrong is named as it is called there.
    """
    first = errors[0]
    if first["type"] == "json_invalid":
        return ApiError(400, "malformed_json", f"the body is not JSON: {_malformed(first)}")
    paths = [_path(error, body) for error in errors]
    deepest = max((path for path in paths if path[: len(paths[0])] == paths[0]), key=len)
    name = ".".join(deepest)
    message = _sentence([error for error, path in zip(errors, paths, strict=True) if path == deepest])
    return ApiError(422, "invalid_request", f"{name or 'the body'}: {message}", name or None)


def _path(error: Any, body: Any) -> _Path:
    """The place of an error, without what is not in the body: tags of shapes, and names of types."""
    where, *parts = error["loc"]
    if where != "body" or not isinstance(body, dict | list):
        return tuple(str(part) for part in parts if not str(part).startswith("["))
    path, value = list[str](), body
    for place, part in enumerate(parts, 1):
        has_part = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if has_part:
            value = value[part]
        if has_part or (error["type"] == "missing" and place == len(parts)):
            path.append(str(part))
    return (*path, *_tag(error))


def _tag(error: Any) -> _Path:
    """The field that says which shape a value has, if that is what is wrong."""
    name = error.get("ctx", {}).get("discriminator", "")
    return (name.strip("'"),) if name.startswith("'") else ()


def _malformed(error: Any) -> str:
    """Why a body is not JSON, and where, if that is known."""
    reason, place = str(error.get("ctx", {}).get("error", error["msg"])), error["loc"][-1]
    return f"{reason}, at character {place + 1}" if isinstance(place, int) and place else reason


def _sentence(errors: Sequence[Any]) -> str:
    """Of a value of the wrong kind, all kinds that it may have; else what is wrong with a value of this kind."""
    kinds = [error for error in errors if error["type"].endswith("_type")]
    if len(kinds) == len(errors):
        first, *others = dict.fromkeys(_kind(error) for error in kinds)
        return " or ".join([first, *(message.removeprefix("Input should be ") for message in others)])
    error = next((error for error in errors if error not in kinds), errors[0])
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] == r"\S":
        return _BLANK
    if _tag(error):
        tags = error["ctx"].get("expected_tags")
        return f"Input should be {' or '.join(tags.rsplit(', ', 1))}" if tags else "Field required"
    if "Expected UploadFile" in error["msg"]:
        return _NO_FILE
    return str(error["msg"]).replace(" after validation", "").removeprefix("Value error, ")


def _kind(error: Any) -> str:
    return "Input should be a valid object" if error["type"] in _OBJECTS else str(error["msg"])
