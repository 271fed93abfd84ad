"""Ids from the word cache are those of the tokenizer, whatever the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from retriton_serving.batching import word_cache
from retriton_serving.batching.tokenization import RoleTokenizer
from retriton_serving.batching.word_cache import WordCache, treats_words_alone
from tests.tokenizers import minilm_encoder

LETTERS = "abcdefghijklmnopqrstuvwxyzäéßσς中文0123456789.,;:!?'\"()[]{}<>@#$%^&*-_+=/\\|~`"
PIECES = [f"{mark}{letter}" for letter in LETTERS for mark in ("", "##")]
WORDS = ["the", "re", "##trieval", "of", "passage", "##s", "un", "##able"]
VOCABULARY = {piece: n for n, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES, *WORDS])}


def bert(lowercase: bool = True) -> Tokenizer:
    """A tokenizer of BERT's kind."""
    tokenizer = Tokenizer(models.WordPiece(VOCABULARY, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [("[CLS]", VOCABULARY["[CLS]"]), ("[SEP]", VOCABULARY["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, special)
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tokenizer


UNCASED, CASED = bert(), bert(lowercase=False)
MINILM = Tokenizer.from_str(minilm_encoder().tokenizer)
MINILM.no_padding()
MINILM.no_truncation()
CACHES = [(tokenizer, WordCache(tokenizer)) for tokenizer in (UNCASED, CASED, MINILM)]
FRAGMENTS = st.one_of(
    st.sampled_from(
        [
            *(*WORDS, "The", "passages,", "(Retrieval)", "[SEP]", "[CLS]x", "[ MASK ]", "x" * 101),
            *("É", "e\u0301", "\u0301", "中文", " ", "  ", "\n", "\r\n", "\t", "\x0b", "\x1c", "\x00", "\x7f"),
            *("\x85", "\xa0", "\u2028", "\u200b", "\ufffd"),
        ]
    ),
    st.text(max_size=8),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map("".join))
@example("a\x1cb c\x85d \u0301e [SEP] f[SEP]g")
def test_ids_are_those_of_the_tokenizer(text: str) -> None:
    for tokenizer, cache in CACHES:
        for _ in range(2):  # computed, and remembered
            ids = cache.tokenize(text)
            assert ids is not None
            assert ids.tolist() == tokenizer.encode(text).ids


def test_texts_beyond_the_limit_are_left_to_the_tokenizer(tmp_path: Path) -> None:
    UNCASED.save(str(tmp_path / "tokenizer.json"))
    tokenizer = RoleTokenizer(tmp_path / "tokenizer.json", "the: ", max_tokens=16)
    texts = ["the passage", "unable " * 2000, "of", ""]
    expected = [UNCASED.encode(f"the: {text}").ids for text in texts]
    assert CACHES[0][1].tokenize(texts[1]) is None
    assert [ids.tolist() for ids in tokenizer.tokenize(texts)] == expected


def test_a_full_cache_forgets_what_is_not_used_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "_WORDS_MAX", 4)
    cache = WordCache(UNCASED)
    for number in range(50):
        text = f"the passage {number} of {number % 7}"
        ids = cache.tokenize(text)
        assert ids is not None
        assert ids.tolist() == UNCASED.encode(text).ids


def test_other_tokenizers_are_not_taken() -> None:
    """Those that join a space with the word behind it, or remember words with a space inside."""
    assert treats_words_alone(UNCASED)
    assert treats_words_alone(MINILM)
    joined = bert()
    joined.pre_tokenizer = pre_tokenizers.ByteLevel()
    two_words = bert()
    two_words.add_tokens(["new york"])
    composed = bert()
    composed.normalizer = normalizers.NFKC()
    bare = bert()
    bare.post_processor = processors.ByteLevel()
    assert not any(map(treats_words_alone, (joined, two_words, composed, bare)))
