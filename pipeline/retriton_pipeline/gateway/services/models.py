"""What a request may call the embedding model, and what role its texts have."""

from __future__ import annotations

from collections.abc import Sequence

from retriton_client import EncoderInfo, Role
from retriton_pipeline.gateway.http.errors import Refused

_ROLES: tuple[Role, ...] = ("query", "passage")


def resolve_role(
    model: str, input_type: Role | None, encoder: EncoderInfo, aliases: Sequence[str], default: Role | None
) -> Role:
    """The role of a request's texts.

    Args:
        model: the encoder's name or an alias, with ``-query`` or ``-passage`` behind it for clients that cannot send
            ``input_type``; or the role alone, as the playground API calls its two models.
        input_type: what the request says.
        encoder: what is served.
        aliases: further names of it.
        default: of a request that does not say.

    Raises:
        Refused: another model is asked for, the two contradict each other, or the role matters and is not told.
    """
    named = _named_role(model, (encoder.name, *aliases))
    if named and input_type and named != input_type:
        message = f"the model's name says {named}, and input_type says {input_type}"
        raise Refused(400, "invalid_request", message, "input_type")
    if role := named or input_type or default:
        return role
    if encoder.prompts.get("query", "") == encoder.prompts.get("passage", ""):
        return "passage"  # the same vectors; the lane for bulk, since nobody says that somebody waits
    raise Refused(
        400,
        "input_type_missing",
        f"{encoder.name} embeds queries and passages differently: send input_type query or passage, or name the model "
        f"{encoder.name}-query or {encoder.name}-passage",
        "input_type",
    )


def model_ids(encoder: EncoderInfo, aliases: Sequence[str]) -> list[str]:
    """Every name of the embedding model, the plain one first."""
    return [name + suffix for name in (encoder.name, *aliases) for suffix in ("", "-query", "-passage")]


def _named_role(model: str, names: Sequence[str]) -> Role | None:
    if model in names:
        return None
    for role in _ROLES:
        if model == role or (model.endswith(f"-{role}") and model.removesuffix(f"-{role}") in names):
            return role
    raise unknown_model(model, names)


def unknown_model(model: str, names: Sequence[str]) -> Refused:
    """The answer to a model that is not served."""
    return Refused(
        404, "model_not_found", f"there is no model {model[:100]!r} here, only {', '.join(names) or 'none'}", "model"
    )
