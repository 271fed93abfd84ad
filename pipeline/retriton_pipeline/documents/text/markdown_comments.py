"""Comments in Markdown, which are those of HTML."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"`+|<!---?>|<!--|-->")
_START, _END = "<!--", "-->"


def without_comments(text: str) -> str:
    """``text`` without the comments that are outside of code spans and fences, and that end."""
    if _START not in text:
        return text
    tokens = list(_TOKEN.finditer(text))
    last = {token[0]: token.start() for token in tokens}
    kept: list[str] = []
    start, awaited = 0, ""
    for token in tokens:
        kind = token[0]
        if kind == awaited or (not awaited and kind.startswith(_START) and kind.endswith(">")):
            kept += [text[start : token.start()]] if not awaited else []
            start = start if awaited.startswith("`") else token.end()
            awaited = ""
        elif not awaited and kind == _START and last.get(_END, 0) > token.start():
            kept.append(text[start : token.start()])
            awaited = _END
        elif not awaited and kind.startswith("`") and last[kind] > token.start():
            awaited = kind
    return "".join([*kept, text[start:]])
