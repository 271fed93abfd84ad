"""Names of models, and the role that a request gives its texts."""

from __future__ import annotations

from collections.abc import Sequence

from retriton_client import EncoderInfo, Role
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.generation import LLM

_ROLES: tuple[Role, ...] = ("query", "passage")


def resolve_role(
    model: str,
    input_type: Role | None,
    encoder: EncoderInfo,
    aliases: Sequence[str],
    default: Role | None,
    field: str = "input_type",
) -> Role:
    """The role of a request's texts.

    Args:
        model: the encoder's name or an alias, with the suffix ``-query`` or ``-passage`` for clients that cannot send
            ``input_type``; or the role alone, which is the model name in the playground API. An organisation may
            precede it, as in ``sentence-transformers/all-MiniLM-L6-v2``.
        input_type: that of the request.
        encoder: the served encoder.
        aliases: additional names of it.
        default: role of requests without one.
        field: the field that has ``input_type`` in the request, for errors.

    Raises:
        ApiError: the model is unknown, name and ``input_type`` contradict each other, or the role is required and
            missing.
    """
    named = _named_role(model, (encoder.name, *aliases))
    if named and input_type and named != input_type:
        message = f"the model's name says {named}, and {field} says {input_type}"
        raise ApiError(400, "invalid_request", message, field)
    if role := named or input_type or default:
        return role
    if encoder.prompts.get("query", "") == encoder.prompts.get("passage", ""):
        return "passage"  # the vectors are the same; the passage lane does not delay queries
    raise ApiError(
        400,
        "input_type_missing",
        f"{encoder.name} embeds queries and passages differently: send {field}, or name the model "
        f"{encoder.name}-query or {encoder.name}-passage",
        field,
    )


def model_ids(encoder: EncoderInfo, aliases: Sequence[str]) -> list[str]:
    """All names of the embedding model, the plain one first."""
    return [name + suffix for name in (encoder.name, *aliases) for suffix in ("", "-query", "-passage")]


def served_name(model: str, names: Sequence[str]) -> str:
    """The name that ``model`` may stand for, without what precedes ours: an organisation, a provider, or both."""
    while model not in names and "/" in model:
        model = model.partition("/")[2]
    return model


def served_llm(llm: LLM | None, model: str) -> LLM:
    """The LLM. Raises `ApiError` if there is none, or ``model`` is not its name."""
    if llm is None or served_name(model, [llm.model]) != llm.model:
        raise unknown_model(model, [llm.model] if llm else ["no LLM: start with --llm-url and --llm-model"])
    return llm


def unknown_model(model: str, names: Sequence[str]) -> ApiError:
    """The error for a model that is not served."""
    message = f"there is no model {model[:100]!r} here, only {', '.join(names) or 'none'}"
    return ApiError(404, "model_not_found", message, "model")


def _named_role(model: str, names: Sequence[str]) -> Role | None:
    roles: dict[str, Role | None] = {f"{name}-{role}": role for name in names for role in _ROLES}
    roles.update(dict.fromkeys(names))
    name = served_name(model, list(roles))
    if name in roles:
        return roles[name]
    for role in _ROLES:
        if model == role:
            return role
    raise unknown_model(model, names)
