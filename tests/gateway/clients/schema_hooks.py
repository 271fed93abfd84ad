"""Hooks of schemathesis, which otherwise would hardly get past the names of models."""

import schemathesis

EMBEDDING = ("query", "passage", "tiny-query", "tiny-passage")
MODELS = {
    "/v1/embeddings": EMBEDDING,
    "/v1/embed": EMBEDDING,
    "/v2/embed": EMBEDDING,
    "/v2/nvcf/pexec/functions/{function_id}": EMBEDDING[:2],
    "/v1/ranking": ("tiny-cross-encoder",),
    "/rerank": ("tiny-cross-encoder",),
    "/v1/rerank": ("tiny-cross-encoder",),
    "/v1/chat/completions": ("m",),
    "/v1/responses": ("m",),
}

INFERENCE = {
    "/_inference/text_embedding/{inference_id}": EMBEDDING,
    "/_inference/rerank/{inference_id}": ("tiny-cross-encoder",),
    "/_inference/{inference_id}": (*EMBEDDING[2:], "tiny-cross-encoder"),
}


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: object) -> object:
    """The body with the name of a served model, or with the name that it has: half of them each."""
    if not isinstance(body, dict) or context.operation is None:
        return body
    changed = {**body, "input": _ids(body["input"])} if isinstance(body.get("input"), list) else body
    served = MODELS.get(context.operation.path)
    if served and isinstance(body.get("model"), str) and len(body["model"]) % 2 == 0:
        changed = {**changed, "model": served[len(body["model"]) // 2 % len(served)]}
    return changed


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: object) -> object:
    """The path with the name of a served model as inference id, or with the name that it has: half of them each."""
    if not isinstance(path_parameters, dict) or context.operation is None:
        return path_parameters
    served, name = INFERENCE.get(context.operation.path), path_parameters.get("inference_id")
    if not served or not isinstance(name, str) or len(name) % 2:
        return path_parameters
    return {**path_parameters, "inference_id": served[len(name) // 2 % len(served)]}


def _ids(given: list[object]) -> list[object]:
    """Token ids are not taken as 1.0, which is an integer in JSON: to look at each would cost too much."""
    return [
        _ids(item) if isinstance(item, list) else int(item) if isinstance(item, float) and item.is_integer() else item
        for item in given
    ]
