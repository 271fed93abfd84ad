"""Comments in Markdown, which are those of HTML, and in MDX."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"`+|<!---?>|<!--|-->")
_START, _END = "<!--", "-->"
_MDX_TOKEN = re.compile(r"`+|\{/\*|\*/\}")
_MDX_START, _MDX_END = "{/*", "*/}"


def without_comments(text: str) -> str:
    """``text`` without the comments that are outside of code spans and fences, and that end."""
    return _without(text, _TOKEN, _START, _END)


def without_mdx_comments(text: str) -> str:
    """As `without_comments`, for the comments of MDX."""
    return _without(text, _MDX_TOKEN, _MDX_START, _MDX_END)


def _without(text: str, token_pattern: re.Pattern[str], opening: str, closing: str) -> str:
    if opening not in text:
        return text
    tokens = list(token_pattern.finditer(text))
    last = {token[0]: token.start() for token in tokens}
    kept: list[str] = []
    start, awaited = 0, ""
    for token in tokens:
        kind = token[0]
        if kind == awaited or (not awaited and kind.startswith(opening) and kind.endswith(">")):
            kept += [text[start : token.start()]] if not awaited else []
            start = start if awaited.startswith("`") else token.end()
            awaited = ""
        elif not awaited and kind == opening and last.get(closing, 0) > token.start():
            kept.append(text[start : token.start()])
            awaited = closing
        elif not awaited and kind.startswith("`") and last[kind] > token.start():
            awaited = kind
    return "".join([*kept, text[start:]])
