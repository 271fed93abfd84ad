"""Values of an LLM's answer as OpenAI defines them: clients with types refuse others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FINISH_REASONS = ("stop", "length", "content_filter")
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def finish_reason(found: str) -> str:
    """The reason: other endpoints have names of their own, and no answer calls tools."""
    return found if found in _FINISH_REASONS else "stop"


def token_counts(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The usage with integers as counts, and what else is known of them; None if there are none."""
    found = {name: _count(usage.get(name)) for name in _COUNTS} if usage else {}
    if not usage or not any(count is not None for count in found.values()):
        return None
    asked, said = (found[name] or 0 for name in _COUNTS[:2])
    total = found["total_tokens"]
    details = {name: value for name, value in usage.items() if name.endswith("_details") and isinstance(value, Mapping)}
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said if total is None else total,
        **details,
    }


def _count(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 2**53 else None
