"""In an optional field of any request, null is its default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from retriton_pipeline.gateway.schemas.common import RequestBody
from tests.gateway.in_process import in_process


def models(base: type[RequestBody] = RequestBody) -> Iterator[type[RequestBody]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("retriton_pipeline."):
            yield model
        yield from models(model)


MODELS = {model.__name__: model for model in models()}
OPTIONAL = [
    (model, name) for model in MODELS.values() for name, field in model.model_fields.items() if not field.is_required()
]


def smallest(schema: dict[str, Any], named: dict[str, Any]) -> Any:
    """A value with the required fields only."""
    if "$ref" in schema:
        return smallest(named[schema["$ref"].rsplit("/", 1)[1]], named)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return smallest(schema[union][0], named)
    if schema["type"] == "object":
        return {name: smallest(schema["properties"][name], named) for name in schema.get("required", ())}
    if schema["type"] == "array":
        return [smallest(schema["items"], named)]
    return schema.get("const") or next(iter(schema.get("enum", ["a"])))


async def test_every_body_of_every_route_is_of_the_models_that_are_tested_here() -> None:
    async with in_process() as http:
        document = (await http.get("/openapi.json")).json()
    named = document["components"]["schemas"]
    found = set()

    def visit(schema: Any) -> None:
        if isinstance(schema, list):
            for item in schema:
                visit(item)
        elif isinstance(schema, dict):
            if (name := schema.get("$ref", "").rsplit("/", 1)[-1]) and name not in found:
                found.add(name)
                visit(named[name])
            visit(list(schema.values()))

    for methods in document["paths"].values():
        for operation in methods.values():
            visit(operation.get("requestBody", {}).get("content", {}).get("application/json", {}))
    assert {"EmbeddingsRequest", "PlaygroundRequest", "RankingRequest", "ChatRequest", "RetrieveRequest"} <= found
    assert {name for name in found if set(named[name]["properties"]) != set(named[name].get("required", ()))} <= set(
        MODELS
    )


@pytest.mark.parametrize(("model", "name"), OPTIONAL, ids=[f"{model.__name__}.{name}" for model, name in OPTIONAL])
def test_null_in_an_optional_field_is_its_default(model: type[RequestBody], name: str) -> None:
    schema = model.model_json_schema()
    body = smallest(schema, schema.get("$defs", {}))
    assert model.model_validate({**body, name: None}) == model.model_validate(body)
    assert {"type": "null"} in schema["properties"][name]["anyOf"]
