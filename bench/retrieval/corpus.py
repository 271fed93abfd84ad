"""Thirty thousand chunks and questions about them: paragraphs of the sources of Python's standard library."""

from __future__ import annotations

import json
import random
import re
import sysconfig
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx

from bench.served import Served
from bench.uploads import upload, wait

COLLECTION = "retrieval"
_PARAGRAPHS = 21_000  # thirty thousand chunks
_WORDS = range(12, 120)  # of a paragraph, so that it becomes one chunk
_FILES = 10
_QUESTIONS = 2048
_FRAGMENT = range(5, 13)  # words
_WORD = re.compile(r"[A-Za-z]{3,}")


def paragraphs() -> list[str]:
    """The paragraphs, the same ones for the same version of Python."""
    return list(islice(_paragraphs(), _PARAGRAPHS))


def _paragraphs() -> Iterator[str]:
    for file in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" not in file.parts:
            found = file.read_text(errors="ignore").split("\n\n")
            yield from (text.strip() for text in found if len(text.split()) in _WORDS and "\\x" not in text)


def questions(texts: list[str]) -> list[str]:
    """5 to 12 consecutive words of paragraphs, as a substitute for questions."""
    draw = random.Random(1)
    words = [_WORD.findall(text) for text in draw.sample(texts, 2 * _QUESTIONS)]
    return [_fragment(draw, found) for found in words if len(found) >= _FRAGMENT[-1]][:_QUESTIONS]


def _fragment(draw: random.Random, words: list[str]) -> str:
    length = draw.choice(_FRAGMENT)
    start = draw.randrange(len(words) - length + 1)
    return " ".join(words[start : start + length])


def fill(served: Served, texts: list[str], collection: str = COLLECTION) -> float:
    """Uploads the paragraphs unless the collection has them; returns the seconds it took.

    Raises:
        RuntimeError: a document was not added.
    """
    start = time.monotonic()
    with httpx.Client(base_url=served.http_url, trust_env=False, timeout=60) as http:
        if collection in http.get("/v1/collections").raise_for_status().json()["data"]:
            return 0.0
        wait(http, upload(http, collection, files(texts)))
    return time.monotonic() - start


def files(texts: list[str]) -> list[tuple[str, bytes]]:
    """Paragraphs as documents of JSON lines: names of files with contents."""
    return [(f"paragraphs-{number}.jsonl", _lines(number, texts[number::_FILES])) for number in range(_FILES)]


def _lines(number: int, texts: list[str]) -> bytes:
    return "\n".join(json.dumps({"id": f"{number}-{place}", "text": text}) for place, text in enumerate(texts)).encode()
