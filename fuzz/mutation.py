"""Mutations that keep inputs close to valid ones, and repetitions that show how cost grows with size."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from fuzz.containers import Container, Parts

_TOKEN = re.compile(rb"<[^<>]{0,200}>|\s+|[\w.@/-]+|[^\w\s]", re.ASCII)
_TEXT_PARTS = (".xml", ".xhtml", ".html", ".opf", ".rels", "")
Mutate = Callable[[bytes, int], bytes]


def mutated(
    raw: bytes, container: Container, words: Sequence[bytes], draw: random.Random, size_max: int, mutate: Mutate
) -> bytes:
    """``raw`` with one of its parts changed.

    Args:
        raw: an input.
        container: of its format.
        words: sequences that mean something in the format.
        draw: source of chance.
        size_max: of the changed part, in bytes.
        mutate: changes bytes without knowing the format.
    """
    parts = container.unpack(raw)
    name = _part(parts, draw)
    change = draw.choice((mutate, mutate, *[lambda part, size: _edited(part, words, draw)] * 3))
    parts[name] = change(parts[name], size_max)[:size_max]
    return container.pack(parts)


def bytes_changed(draw: random.Random) -> Mutate:
    """Changes some bytes at random: where the engine brings no mutation of its own."""

    def change(part: bytes, size_max: int) -> bytes:
        changed = bytearray(part or b"0")
        for _ in range(draw.choice((1, 1, 2, 4, 16))):
            place = draw.randrange(len(changed))
            changed[place : place + draw.randint(0, 2)] = draw.randbytes(draw.randint(0, 2))
            changed = changed or bytearray(b"0")
        return bytes(changed[:size_max])

    return change


def repeated(
    raw: bytes, container: Container, words: Sequence[bytes], draw: random.Random
) -> Callable[[int], bytes] | None:
    """A family of inputs: a piece of ``raw`` repeated as often as fits into a given number of bytes.

    Returns:
        The input with about that many more bytes; None if ``raw`` has no part to repeat.
    """
    parts = container.unpack(raw)
    name = _part(parts, draw)
    part, tokens = parts[name], list(_TOKEN.finditer(parts[name]))
    if not tokens:
        return None
    first = draw.randrange(len(tokens))
    last = min(len(tokens) - 1, first + draw.choice((0, 0, 1, 2, 4, 8, 16, 32)))
    start, end = tokens[first].start(), tokens[last].end()
    piece = draw.choice((part[start:end], part[start:end], draw.choice(words) if words else part[start:end]))
    closing = _closing(piece, part, draw)
    unit = len(piece) + len(closing)

    def grown(size: int) -> bytes:
        times = size // unit
        return container.pack({**parts, name: part[:end] + piece * times + closing * times + part[end:]})

    return grown


def _part(parts: Parts, draw: random.Random) -> str:
    texts = [name for name in parts if name.lower().endswith(_TEXT_PARTS)]
    return draw.choice(texts if texts and draw.random() < 0.95 else list(parts))


def _closing(piece: bytes, part: bytes, draw: random.Random) -> bytes:
    """What closes ``piece`` where it is repeated after all its repetitions, so that it nests; empty for a sequence."""
    if draw.random() < 0.6:
        return b""
    if tag := re.match(rb"<([\w:]+)", piece):
        return b"</" + tag[1] + b">"
    return {b"(": b")", b"[": b"]", b"{": b"}"}.get(piece[-1:], piece if draw.random() < 0.3 else b"")


def _edited(part: bytes, words: Sequence[bytes], draw: random.Random) -> bytes:
    """``part`` with a token removed, doubled, moved, or replaced by a word or a number."""
    tokens = [match.span() for match in _TOKEN.finditer(part)] or [(0, len(part))]
    start, end = draw.choice(tokens)
    other = part[slice(*draw.choice(tokens))]
    number = str(draw.choice((-1, 0, 1, 2**31, 2**32, 2**63, 10**9, 10**30, 255, 65536))).encode()
    word = draw.choice(words) if words else other
    new = draw.choice((b"", part[start:end] * draw.choice((2, 3, 50)), other, number, word, word + part[start:end]))
    return part[:start] + new + part[end:]
