"""Texts that are nearly the same, and what belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_SIMILAR_MIN = 0.8  # cosine of the sets of word n-grams
_ROWS = 512
_WORD = r"\b\w+\b"


def near_duplicates(
    texts: Sequence[str], words: int = 3, similar_min: float = _SIMILAR_MIN
) -> Iterator[tuple[int, int]]:
    """Positions of texts that share most of their n-grams of ``words`` words, as pairs ``(earlier, later)``."""
    from sklearn.feature_extraction.text import HashingVectorizer

    if len(texts) < 2:
        return
    vectorizer = HashingVectorizer(
        n_features=1 << 22, ngram_range=(words, words), binary=True, alternate_sign=False, token_pattern=_WORD
    )
    rows = vectorizer.transform(texts)  # of unit length
    for start in range(0, len(texts), _ROWS):
        similar = (rows[start : start + _ROWS] @ rows.T).tocoo()
        for first, second, cosine in zip(similar.row, similar.col, similar.data, strict=True):
            if cosine >= similar_min and start + first < second:
                yield int(start + first), int(second)


def connected(nodes: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The number of the connected component of each node."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    place = {node: number for number, node in enumerate(dict.fromkeys(nodes))}
    edges = [(place[a], place[b]) for a, b in links if a in place and b in place]
    rows, columns = ([edge[side] for edge in edges] for side in (0, 1))
    graph = coo_matrix(([1] * len(edges), (rows, columns)), shape=(len(place), len(place)))
    _, numbers = connected_components(graph, directed=False)
    return {node: int(numbers[number]) for node, number in place.items()}
