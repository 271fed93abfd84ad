"""Counts tokens as the server does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from retriton_client import EncoderInfo
from retriton_pipeline.errors import PipelineError

_WORD = re.compile(r"\s*\S+")
_TOKEN_CHARACTERS_MAX = 16


class TokenCounter:
    """The served tokenizer, on this side.

    Args:
        encoder: what the server serves.
    """

    def __init__(self, encoder: EncoderInfo) -> None:
        self._tokenizer = served_tokenizer(encoder.tokenizer)
        self._prompt = encoder.prompts.get("passage", "")
        self.passage_tokens_max = encoder.max_tokens

    def count(self, text: str) -> int:
        """Tokens of ``text`` by itself, at least one for 16 characters.

        A tokenizer may turn a monstrous word into one unknown token; counted so, it would never be too long.
        """
        return max(len(self._tokenizer.encode(text, add_special_tokens=False).ids), len(text) // _TOKEN_CHARACTERS_MAX)

    def count_passage(self, text: str) -> int:
        """Tokens of ``text`` as the server embeds it as a passage, prefix and special tokens included."""
        return len(self._tokenizer.encode(self._prompt + text).ids)

    def split(self, text: str, tokens_max: int) -> Iterator[str]:
        """Pieces of at most ``tokens_max`` tokens, cut before the white space between words.

        A monstrous word is cut inside. Joined, the pieces are the text, but for white space at its end.
        """
        piece, piece_tokens = "", 0
        for word in self._words(text, tokens_max):
            tokens = self.count(word)
            if piece and piece_tokens + tokens > tokens_max:
                yield piece
                piece, piece_tokens = "", 0
            piece += word
            piece_tokens += tokens
        if piece:
            yield piece

    def _words(self, text: str, tokens_max: int) -> Iterator[str]:
        """Words with the white space before them; those with too many tokens (base64, rows of dots) in halves."""
        for match in _WORD.finditer(text):
            pending = [match[0]]
            while pending:
                word = pending.pop()
                if len(word) > 1 and self.count(word) > tokens_max:
                    middle = len(word) // 2
                    pending += [word[middle:], word[:middle]]
                else:
                    yield word


@lru_cache(maxsize=2)
def served_tokenizer(definition: str) -> Tokenizer:
    """The tokenizer of a ``tokenizer.json``, without padding and truncation. Parsing a large one takes seconds.

    Args:
        definition: the text of the file (see `EncoderInfo.tokenizer`).
    """
    tokenizer = Tokenizer.from_str(definition)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_counter(tokenizer: str) -> Callable[[str], int]:
    """Counts tokens as another model does.

    Args:
        tokenizer: a ``tokenizer.json``, or the id of a repository on the hub that has one.

    Raises:
        PipelineError: there is no such tokenizer.
    """
    try:
        is_file = Path(tokenizer).is_file()
        loaded = Tokenizer.from_file(tokenizer) if is_file else Tokenizer.from_pretrained(tokenizer)
    except Exception as error:  # the library raises nothing more precise
        raise PipelineError(f"the tokenizer {tokenizer} cannot be loaded: {error}") from error
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids)
