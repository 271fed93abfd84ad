"""BM25 of a few texts in memory: scores of texts that are not stored cannot be asked of Milvus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75


class Bm25:
    """Scores texts by the terms of a query.

    Args:
        texts: the terms of each text.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._count = len(texts)
        self._mean_length = max(1.0, sum(map(len, texts)) / max(1, len(texts)))
        self._postings: dict[str, tuple[list[int], list[float]]] = {}
        for place, text in enumerate(texts):
            for term, weight in self._weights(text):
                places, weights = self._postings.setdefault(term, ([], []))
                places.append(place)
                weights.append(weight)

    def scores(self, query: Iterable[str]) -> NDArray[np.float64]:
        """The score of each text, float64 ``[texts]``."""
        found = np.zeros(self._count)
        for term in query:
            if term in self._postings:
                places, weights = self._postings[term]
                found[places] += self._idf(term) * np.array(weights)
        return found

    def score(self, query: Iterable[str], text: Sequence[str]) -> float:
        """The score of a text that is none of these, by the frequencies of terms in these."""
        weights = dict(self._weights(text))
        return sum(self._idf(term) * weights[term] for term in query if term in weights and term in self._postings)

    def _weights(self, text: Sequence[str]) -> Iterable[tuple[str, float]]:
        norm = _K1 * (1 - _B + _B * len(text) / self._mean_length)
        return ((term, count * (_K1 + 1) / (count + norm)) for term, count in Counter(text).items())

    def _idf(self, term: str) -> float:
        frequency = len(self._postings[term][0])
        return float(np.log(1 + (self._count - frequency + 0.5) / (frequency + 0.5)))
