"""Splits a filter into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from retriton_pipeline.errors import InvalidFilter

LENGTH_MAX = 4096  # characters
_EXAMPLE = 'page >= 2 and source like "manual%"'
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
  | (?P<number> (?:[0-9]+\.[0-9]* | \.[0-9]+ | [0-9]+)(?:[eE][+-]?[0-9]+)? (?![\w.]) )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<symbol> == | != | <= | >= | && | \|\| | [<>!()\[\],+-] )
  | (?P<end> $ )
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/"}
_WORDS = {"&&": "and", "||": "or", "!": "not"}
_KEYWORDS = {"and", "or", "not", "in", "like", "exists", "true", "false"}


@dataclass(frozen=True)
class Token:
    """A token of a filter.

    Attributes:
        kind: ``string``, ``number``, ``name``, ``symbol``, or ``end`` after the last one.
        text: as written; keywords in lower case, and ``&&``, ``||`` and ``!`` as keywords.
        position: place in the filter, from 1.
    """

    kind: str
    text: str
    position: int


def tokens_of(filter_: str) -> list[Token]:
    """Splits ``filter_``; the last token has the kind ``end``. Raises `InvalidFilter`."""
    if len(filter_) > LENGTH_MAX:
        raise InvalidFilter(f"the filter has {len(filter_)} characters, the maximum is {LENGTH_MAX}")
    tokens: list[Token] = []
    place = 0
    while not tokens or tokens[-1].kind != "end":
        found = _TOKEN.match(filter_, place)
        if found is None:
            place += len(filter_[place:]) - len(filter_[place:].lstrip())
            fail(filter_, place + 1, _instead_of(filter_[place]))
        kind = found.lastgroup or "end"
        tokens.append(_token(kind, found[kind], found.start(kind) + 1))
        place = found.end()
    return tokens


def _token(kind: str, text: str, position: int) -> Token:
    if kind == "name" and text.lower() in _KEYWORDS:
        text = text.lower()
    if text in _WORDS:
        kind, text = "name", _WORDS[text]
    return Token(kind, text, position)


def _instead_of(character: str) -> str:
    if character in "\"'":
        return "a closing quote"
    arithmetic = " (there is no arithmetic)" if character in "+-*/%&|^~<>" else ""
    return f"a field, a value, an operator or a parenthesis{arithmetic}"


def fail(filter_: str, position: int, expected: str) -> NoReturn:
    """Raises `InvalidFilter` that shows the place, from 1, and says what was expected there."""
    found = filter_[position - 1 : position + 19]
    what = f"found {found!r}" if found else "the filter ends"
    raise InvalidFilter(
        f"the filter is invalid at character {position}: {what}, expected {expected}. Example of a filter: {_EXAMPLE}"
    )


def string_value(filter_: str, token: Token) -> str:
    """Returns the characters of a string token: without quotes, escapes replaced. Raises `InvalidFilter`."""

    def replaced(escape: re.Match[str]) -> str:
        if escape[1]:
            return chr(int(escape[1], 16))
        if escape[2] not in _SIMPLE_ESCAPES:
            fail(filter_, token.position + 1 + escape.start(), "one of the escapes \\\\, \\\", \\' and \\u0041")
        return _SIMPLE_ESCAPES[escape[2]]

    text = _ESCAPE.sub(replaced, token.text[1:-1]).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if any(character < " " or "\x7f" <= character <= "\x9f" or character == "\ufffd" for character in text):
        fail(filter_, token.position, "a string without control characters and lone surrogates")
    return text
