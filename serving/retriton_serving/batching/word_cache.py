"""Token ids of words that were tokenized before.

Tokenizing a passage of 129 tokens costs more than everything else that a lane does with it: the tokenizer keeps which
characters each token comes from, which no lane needs. Texts repeat their words, so the ids of most words are known,
and a text is one look-up a word. The ids are exactly those of the tokenizer: the cache takes only tokenizers that treat
the text between two spaces by itself.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

Ids = NDArray[np.int64]
_WORDS_MAX: Final = 50_000  # of each generation; about 10 MB
_WORD_CHARACTERS_MAX: Final = 64  # longer ones are rarely words
_TEXT_CHARACTERS_MAX: Final = 8 * 1024  # longer texts are not made of words that repeat, or are hostile
_PARTS = {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer", "model": "WordPiece"}
_POST_PROCESSORS = ("TemplateProcessing", "BertProcessing")


class WordCache:
    """Tokenizes texts word by word. Thread-safe.

    Args:
        tokenizer: one that `treats_words_alone`.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._ids = _Generations(tokenizer)
        head, tail = special_tokens(example := tokenizer.encode("a"))
        ids = np.array(example.ids, np.int64)
        self._head, self._tail = ids[:head].tobytes(), ids[len(ids) - tail :].tobytes()

    def tokenize(self, text: str) -> Ids | None:
        """The token ids of a text, special tokens included; None for a text that is too long to be split."""
        if len(text) > _TEXT_CHARACTERS_MAX:
            return None
        words = text.replace("\n", " ").split(" ")
        return np.frombuffer(b"".join((self._head, *map(self._ids.__getitem__, words), self._tail)), np.int64)


class _Generations(dict[str, bytes]):
    """Ids of words, as int64. Once it is full, words that are not used again until the next time are forgotten.

    Threads may race to add a word or to begin a generation. Either way each gets the ids of its word.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._older: dict[str, bytes] = {}

    def __missing__(self, word: str) -> bytes:
        ids = self._older.get(word)
        if ids is None:
            ids = np.array(self._tokenizer.encode(word, add_special_tokens=False).ids, np.int64).tobytes()
        if len(word) <= _WORD_CHARACTERS_MAX:
            if len(self) >= _WORDS_MAX:
                self._older = dict(self)
                self.clear()
            self[word] = ids
        return ids


def treats_words_alone(tokenizer: Tokenizer) -> bool:
    """Whether the ids of a text are those of its parts between spaces, one after the other.

    So it is with BERT's tokenizers: they clean, lower and strip accents character by character, split at white space,
    and look up each word. Others join a space with the word behind it, or with the spaces beside it.
    """
    parts = json.loads(tokenizer.to_str())
    if any((parts[name] or {}).get("type") != kind for name, kind in _PARTS.items()):
        return False
    if any(" " in token["content"] for token in parts["added_tokens"]):
        return False
    return bool((parts["post_processor"] or {}).get("type") in _POST_PROCESSORS)


def special_tokens(encoding: Encoding) -> tuple[int, int]:
    """The numbers of special tokens before and after the text."""
    mask = encoding.special_tokens_mask
    head = next(i for i, special in enumerate(mask) if not special)
    tail = next(i for i, special in enumerate(reversed(mask)) if not special)
    return head, tail
