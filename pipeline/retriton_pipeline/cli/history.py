"""Conversations from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.retrieval import Turn

_ROLES = ("user", "assistant", "agent")


def read_history(file: Path | None) -> list[Turn]:
    """The messages of user and assistant in a file, oldest first; none without a file.

    Raises:
        PipelineError: it is not a JSON list of objects with ``role`` and ``content``.
    """
    if file is None:
        return []
    try:
        messages = json.loads(file.read_text(encoding="utf-8"))
        return [Turn(message["role"], _text(message)) for message in messages if message["role"] in _ROLES]
    except (OSError, ValueError, RecursionError) as error:
        raise PipelineError(f"the conversation in {file} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise PipelineError(f"{file} is not a list of objects with 'role' and 'content'") from error


def _text(message: dict[str, Any]) -> str:
    """The text of a message; its content may be a list of parts, as in OpenAI's chat completions."""
    content = message["content"] if "content" in message else message["text"]
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part.get("type") == "text")
    return str(content or "")
