"""Text to token ids: the role's prefix in front, too long texts refused or truncated as the caller chose."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from tokenizers import Tokenizer

from retriton_serving.batching.word_cache import Ids, WordCache, special_tokens, treats_words_alone
from retriton_serving.contract.errors import BadParameter, BadText, TextTooLong

TEXT_BYTES_MAX = 1024 * 1024  # requests are tokenized together: a larger text would delay the others


class Truncate(StrEnum):
    """What to do with a text beyond the encoder's limit: refuse it, drop its start, or drop its end."""

    NONE = "NONE"
    START = "START"
    END = "END"

    @classmethod
    def parse(cls, value: object) -> Truncate:
        """The member of that name.

        Raises:
            BadParameter: there is none.
        """
        try:
            return cls(str(value).upper())
        except ValueError:
            raise BadParameter(f"truncate is {value!r:.80}, it can be NONE, START or END") from None


class TokenizedText(NamedTuple):
    """Token ids of one text, special tokens included, and how many tokens truncation dropped."""

    ids: Ids
    dropped: int = 0


class LaneTokenizer(Protocol):
    """Tokenizes the texts of a lane; in the reranking lane a text is a pair.

    Attributes:
        max_tokens: the most tokens of a text.
    """

    max_tokens: int

    def tokenize(self, texts: Sequence[Any]) -> list[Ids]:
        """Token ids of every text, int64 ``[tokens]``, untruncated."""

    def fit(self, text: Any, ids: Ids, truncate: Truncate, index: int) -> TokenizedText:
        """Truncates the ids of a text to the model's limit, or raises `RequestRefused`."""


def text_bytes(raw: bytes, index: int | None) -> int:
    """The size of one BYTES element, of which no more than `TEXT_BYTES_MAX` are taken.

    Args:
        raw: the element.
        index: of the text in its request, for errors; None is the query of a reranking request.

    Raises:
        BadText: it has more bytes.
    """
    if len(raw) > TEXT_BYTES_MAX:
        name, place = _named(index)
        raise BadText(
            "TEXT_TOO_LARGE",
            f"{name} has {len(raw)} bytes, at most {TEXT_BYTES_MAX} are tokenized. Split it.",
            **place,
            bytes=len(raw),
            bytes_max=TEXT_BYTES_MAX,
        )
    return len(raw)


def decode_text(raw: bytes, index: int | None) -> str:
    """The text behind the bytes of one BYTES element.

    Args:
        raw: the element.
        index: as for `text_bytes`.

    Raises:
        BadText: the bytes are not UTF-8, or nothing but white space.
    """
    name, place = _named(index)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadText(
            "TEXT_NOT_UTF8", f"{name} is not UTF-8: byte {raw[exc.start]:#04x} at {exc.start}", **place
        ) from None
    if not text or text.isspace():
        raise BadText("TEXT_EMPTY", f"{name} is empty", **place)
    return text


def _named(index: int | None) -> tuple[str, dict[str, Any]]:
    """What errors call a text, and what says where it is."""
    return ("the query", {}) if index is None else (f"text {index}", {"index": index})


class RoleTokenizer:
    """The tokenizer of one lane. Thread-safe.

    Args:
        tokenizer_file: a Hugging Face ``tokenizer.json``; its own padding and truncation are switched off.
        prompt: the prefix of each text.
        max_tokens: the most tokens of one text, prefix and special tokens included.
    """

    def __init__(self, tokenizer_file: Path, prompt: str, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._words = WordCache(self._tokenizer) if treats_words_alone(self._tokenizer) else None
        self._prompt = prompt
        self.max_tokens = max_tokens

    def tokenize(self, texts: Sequence[str]) -> list[Ids]:
        """Token ids of every text, int64 ``[tokens]``, untruncated."""
        if self._prompt:
            texts = [self._prompt + text for text in texts]
        if self._words is None:
            return self._encode(texts)
        known = [self._words.tokenize(text) for text in texts]
        others = iter(self._encode([text for text, ids in zip(texts, known, strict=True) if ids is None]))
        return [next(others) if ids is None else ids for ids in known]

    def fit(self, text: str, ids: Ids, truncate: Truncate, index: int) -> TokenizedText:
        """Truncates ``ids``, the tokens of ``text``, to the encoder's limit.

        Raises:
            TextTooLong: the text exceeds the limit, and ``truncate`` is NONE; ``index`` is its place in the request.
        """
        if len(ids) <= self.max_tokens:
            return TokenizedText(ids)
        if truncate is Truncate.NONE:
            raise TextTooLong(index, len(ids), self.max_tokens)
        return TokenizedText(np.array(self._cut(text, truncate), np.int64), dropped=len(ids) - self.max_tokens)

    def _encode(self, texts: Sequence[str]) -> list[Ids]:
        """One call into Rust, parallel over the texts."""
        if not texts:
            return []
        return [np.array(encoding.ids, np.int64) for encoding in self._tokenizer.encode_batch_fast(texts)]

    def _cut(self, text: str, truncate: Truncate) -> list[int]:
        encoding = self._tokenizer.encode(self._prompt + text)
        head, tail = special_tokens(encoding)
        ids = encoding.ids
        if truncate is Truncate.END:
            return ids[: self.max_tokens - tail] + ids[len(ids) - tail :]
        head += sum(1 for start, end in encoding.offsets[head:] if start < end <= len(self._prompt))
        return ids[:head] + ids[len(ids) - (self.max_tokens - head) :]
