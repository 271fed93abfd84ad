"""Sample texts for parity checks and calibration, from the language reference in Python's standard library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from retriton_serving.batching.tokenization import LaneTokenizer, Truncate

_SENTENCE = (
    "Dense retrieval maps a question and every passage to vectors and ranks passages by their inner product ; "
    "die Länge 1,024 wird naïve gemessen 向量 检索 and so on ( see RFC 9110 , section 8.3 ) until the limit ."
)
GOLDEN = "Dense retrieval maps text to vectors."
GOLDEN_QUERY = "retrieval"
_WORDS_FIRST = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377)


@cache
def passages() -> tuple[str, ...]:
    """Returns about a thousand paragraphs of English prose on one subject, of 10 to 200 words each."""
    from pydoc_data.topics import topics

    paragraphs = [re.sub(r"\s+", " ", part).strip() for topic in topics.values() for part in topic.split("\n\n")]
    return tuple(dict.fromkeys(text for text in paragraphs if _is_prose(text)))


def queries(count: int, words: int = 12) -> list[str]:
    """Returns the first ``words`` words of ``count`` evenly spaced passages."""
    every = passages()
    return [" ".join(text.split()[:words]) for text in every[:: max(1, len(every) // count)]][:count]


def of_many_lengths(tokens_max: int) -> list[str]:
    """Returns texts of one to ``tokens_max`` words, in several languages."""
    words = _SENTENCE.split()
    return [" ".join(words[(i + k) % len(words)] for k in range(n)) for i, n in enumerate([*_WORDS_FIRST, tokens_max])]


def token_ids(tokenizer: LaneTokenizer, texts: Sequence[Any]) -> list[list[int]]:
    """Returns the token ids of texts or pairs, truncated at the end to the tokenizer's maximum."""
    return [
        tokenizer.fit(text, ids, Truncate.END, index).ids.tolist()
        for index, (text, ids) in enumerate(zip(texts, tokenizer.tokenize(texts), strict=True))
    ]


def _is_prose(text: str) -> bool:
    letters = sum(letter.isalpha() or letter == " " for letter in text)
    return len(text) > 60 and text[0].isalpha() and letters / len(text) > 0.85
