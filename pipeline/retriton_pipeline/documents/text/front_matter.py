"""Front matter: the fields above the text of a Markdown file, in YAML, TOML or JSON."""

from __future__ import annotations

import json
import re
from itertools import islice

_REGION = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_OBJECT = re.compile(r"\A\{[ \t]*\n\s*\"")
_FIELD = re.compile(r"""["']?(\w[\w .-]{0,60}?)["']?[ \t]*[:=](?:[ \t]+(.*)|$)""")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
_OTHER = re.compile(r"\s|#|[\[\]})]|\Z")  # the rest of a value, a comment, a table of TOML
_INDICATOR = re.compile(r"[|>][+-]?\d?")  # the value is on the next lines
_LISTED = re.compile(r"""[ \t]*+"[^"]*"|[ \t]*+'[^']*'|[^,]+""")  # values of a list on one line
_FIELDS_MAX = 256


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """The fields that have a value, with lists joined by commas, and the offset of the text below; 0 if there are none.

    Lines between rules that are not all fields are text.
    """
    if _OBJECT.match(text):
        return _object_fields(text)
    region = _REGION.match(text)
    lines = region[2].split("\n") if region else []
    if not region or not any(map(_FIELD.match, lines)) or not all(map(_belongs, lines)):
        return {}, 0
    fields: dict[str, list[str]] = {}
    values: list[str] = []
    for line in lines:
        if field := _FIELD.match(line):
            values = [_value((field[2] or "").strip())]
            if len(fields) < _FIELDS_MAX:
                fields[field[1]] = values
        elif item := _ITEM.match(line):
            values += [", ", _unquoted(item[1])]
        elif line[:1].isspace():
            values += [" ", line.strip()]
    joined = {name: "".join(values).strip(" ,") for name, values in fields.items()}
    return {name: value for name, value in joined.items() if value}, region.end()


def _object_fields(text: str) -> tuple[dict[str, str], int]:
    """The fields of the JSON object at the start of ``text``, and its end."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (RecursionError, ValueError):
        return {}, 0
    values = {name: item if isinstance(item, list) else [item] for name, item in value.items()}
    texts = {name: ", ".join(str(part) for part in item if isinstance(part, str | int | float)) for name, item in
             islice(values.items(), _FIELDS_MAX)}  # fmt: skip
    return {name: text.strip() for name, text in texts.items() if text.strip()}, end


def _belongs(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_FIELD, _ITEM, _OTHER))


def _value(text: str) -> str:
    if _INDICATOR.fullmatch(text):
        return ""
    if text.startswith("[") and text.endswith("]"):
        return ", ".join(filter(None, map(_unquoted, _LISTED.findall(text[1:-1]))))
    return _unquoted(text)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
