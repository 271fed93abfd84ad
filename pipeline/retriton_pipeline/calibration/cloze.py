"""How well dense and BM25 searches find a text by one of its own sentences (inverse cloze task; Lee et al., 2019)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.analysis import terms
from retriton_pipeline.calibration.bm25 import Bm25
from retriton_pipeline.vectors import Vectors

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_SENTENCES_MIN = 3  # of a text
_TERMS_MIN, _TERMS_MAX = 5, 40  # of a sentence


@dataclass(frozen=True)
class Cloze:
    """A sentence, and the text that it was taken from.

    Attributes:
        place: of the text among all.
        sentence: the sentence.
        rest: the text without it.
    """

    place: int
    sentence: str
    rest: str


def clozes(texts: Sequence[str], count: int) -> list[Cloze]:
    """A sentence of each of at most ``count`` texts, not the first, which may be a title; the same at each call."""
    chance, found = random.Random(0), list[Cloze]()  # noqa: S311 - a sample
    for place, text in enumerate(texts):
        sentences = [part for part in _SENTENCE_END.split(text) if part]
        usable = [part for part in sentences[1:] if _TERMS_MIN <= len(list(terms(part))) <= _TERMS_MAX]
        if len(sentences) >= _SENTENCES_MIN and usable:
            sentence = chance.choice(usable)
            found.append(Cloze(place, sentence, text.replace(sentence, " ", 1)))
        if len(found) == count:
            break
    return found


def dense_rank(questions: Sequence[Cloze], vectors: Vectors, sentences: Vectors, rests: Vectors) -> float:
    """The mean reciprocal rank of the rests among all texts.

    Args:
        questions: the sentences.
        vectors: of all texts, float32 ``[texts, dimension]``, of unit length.
        sentences: of the sentences, float32 ``[questions, dimension]``, of unit length.
        rests: of the rests, likewise.
    """
    own = np.einsum("qd,qd->q", sentences, rests)
    return _mean_reciprocal_rank(sentences @ vectors.T, own, [one.place for one in questions])


def bm25_rank(questions: Sequence[Cloze], texts: Sequence[str]) -> float:
    """The mean reciprocal rank of the rests among all texts."""
    index = Bm25([list(terms(text)) for text in texts])
    queries = [list(terms(one.sentence)) for one in questions]
    own = [index.score(query, list(terms(one.rest))) for query, one in zip(queries, questions, strict=True)]
    scores = np.array([index.scores(query) for query in queries])
    return _mean_reciprocal_rank(scores, np.array(own), [one.place for one in questions])


def _mean_reciprocal_rank(scores: NDArray[np.floating], own: NDArray[np.floating], places: Sequence[int]) -> float:
    scores[np.arange(len(places)), places] = own
    ranks = 1 + (scores > own[:, None]).sum(axis=1)
    return float(np.mean(np.where(own > 0, 1 / ranks, 0)))
