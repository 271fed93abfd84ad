"""Counts tokens as the server does, or as another model does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from retriton_client import EncoderInfo
from retriton_pipeline.errors import PipelineError

_WORD = re.compile(r"\S+")
_TOKEN_CHARACTERS_MAX = 16
_CACHED_CHARACTERS_MAX = 512
_CACHED_TEXTS = 16_384  # at most about 20 MB
_ENCODED_CHARACTERS_MAX = 65_536  # at once: the tokenizer needs more than a kilobyte of memory for each


class TokenCounter:
    """Counts tokens with the tokenizer of the served encoder, without a request.

    Args:
        encoder: the served encoder.

    Attributes:
        passage_tokens_max: the most tokens of a passage, including the prompt's prefix and special tokens.
    """

    def __init__(self, encoder: EncoderInfo) -> None:
        self._tokenizer = served_tokenizer(encoder.tokenizer)
        self._prompt = encoder.prompts.get("passage", "")
        self.passage_tokens_max = encoder.max_tokens
        # Chunking counts most texts twice (does it fit, how many has it), and words and titles again and again.
        self._cached_tokens = lru_cache(_CACHED_TEXTS)(self._tokens)

    def count(self, text: str) -> int:
        """The number of tokens of ``text`` without prefix and special tokens, at least one per 16 characters.

        The minimum limits words of any length that the tokenizer maps to a single unknown token. A text of more than
        65,536 characters is counted in parts, whose borders may add a token each.
        """
        if len(text) <= _CACHED_CHARACTERS_MAX:
            return max(self._cached_tokens(text), len(text) // _TOKEN_CHARACTERS_MAX)
        starts = range(0, max(len(text), 1), _ENCODED_CHARACTERS_MAX)
        tokens = sum(self._tokens(text[start : start + _ENCODED_CHARACTERS_MAX]) for start in starts)
        return max(tokens, len(text) // _TOKEN_CHARACTERS_MAX)

    def _tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def fits(self, text: str, tokens_max: int) -> bool:
        """Whether `count` is at most ``tokens_max``, without counting the tokens of a text that is much too long."""
        return len(text) // _TOKEN_CHARACTERS_MAX <= tokens_max and self.count(text) <= tokens_max

    def count_passage(self, text: str) -> int:
        """The number of tokens of ``text`` as a passage, including the prompt's prefix and special tokens."""
        return len(self._tokenizer.encode(self._prompt + text).ids)

    def split(self, text: str, tokens_max: int) -> Iterator[str]:
        """Splits ``text`` before the white space between words into parts of at most ``tokens_max`` tokens.

        Words of more tokens are split too. Concatenated, the parts are ``text``, except for white space at its end.
        """
        part, part_tokens = "", 0
        for word in self._words(text, tokens_max):
            tokens = self.count(word)
            characters = len(part) + len(word)  # of characters that are not tokens, a part could have any number
            if part and max(part_tokens + tokens, characters // _TOKEN_CHARACTERS_MAX) > tokens_max:
                yield part
                part, part_tokens = "", 0
            part += word
            part_tokens += tokens
        if part:
            yield part

    def _words(self, text: str, tokens_max: int) -> Iterator[str]:
        """The words with the white space before them; those with too many tokens (base64, leaders) are halved."""
        end = 0
        for match in _WORD.finditer(text):
            pending = [text[end : match.end()]]
            end = match.end()
            while pending:
                word = pending.pop()
                if len(word) > 1 and not self.fits(word, tokens_max):
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


def prompt_counter(tokenizer: str, encoder: EncoderInfo) -> Callable[[str], int]:
    """A function that counts the tokens of prompts: those of ``tokenizer``, or of the encoder if it is empty.

    Raises:
        PipelineError: see `token_counter`.
    """
    return token_counter(tokenizer) if tokenizer else TokenCounter(encoder).count


@lru_cache(maxsize=2)
def token_counter(tokenizer: str) -> Callable[[str], int]:
    """A function that counts the tokens of another model, for example an LLM. The tokenizer is loaded once.

    Args:
        tokenizer: the path of a ``tokenizer.json``, or the id of a Hugging Face repository that has one.

    Raises:
        PipelineError: the tokenizer cannot be loaded.
    """
    try:
        is_file = Path(tokenizer).is_file()
        loaded = Tokenizer.from_file(tokenizer) if is_file else Tokenizer.from_pretrained(tokenizer)
    except Exception as error:  # the library raises nothing more precise
        raise PipelineError(f"the tokenizer {tokenizer} cannot be loaded: {error}") from error
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids)
