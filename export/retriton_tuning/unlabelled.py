"""Training pairs without labels: from logged queries, and from documents alone."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence, Set

from retriton_pipeline.analysis import terms
from retriton_tuning.labels import Labels, Pair
from retriton_tuning.measures import Run

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])|(?<=[。！？])")
_LOWER_CASE_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_SENTENCE_TERMS = (6, 60)
_PASSAGE_TERMS_MIN = 25
_PAIRS_MAX = 700
_GAP_MIN = 0.1  # between the fused scores, from 0 to 1, of the first and the second hit
_SHARE_KEPT = 0.5  # of the queries, those with the widest gaps


def pairs_of_queries(queries: Mapping[str, str], fused: Run, labels: Labels, held_out: Set[str]) -> list[Pair]:
    """Logged queries with their first fused hit, where the gap to the second hit is wide.

    Args:
        queries: texts by id.
        fused: hybrid ranking of the original model, by query id.
        labels: has the passages.
        held_out: passages that must not be seen.
    """
    gaps = {query: _gap(list(fused[query].values())) for query in queries if fused.get(query)}
    widest = sorted((query for query in gaps if gaps[query] >= _GAP_MIN), key=lambda query: -gaps[query])
    kept = widest[: max(1, round(_SHARE_KEPT * len(gaps)))]
    firsts = {query: next(iter(fused[query])) for query in kept}
    return [Pair(queries[query], labels.passages[first]) for query, first in firsts.items() if first not in held_out]


def _gap(scores: Sequence[float]) -> float:
    return scores[0] - scores[1] if len(scores) > 1 else 1.0


def pairs_of_documents(passages: Mapping[str, str], held_out: Set[str], seed: int = 0) -> list[Pair]:
    """Inverse cloze pairs (Lee et al., 2019): a random sentence as the query, the rest of its passage as the answer."""
    chance = random.Random(seed)  # noqa: S311
    keys = [key for key in passages if key not in held_out]
    chance.shuffle(keys)
    pairs: list[Pair] = []
    for key in keys:
        sentences = _sentences(passages[key])
        usable = [place for place, text in enumerate(sentences) if _is_usable(text)]
        if len(sentences) < 2 or not usable:
            continue
        taken = chance.choice(usable)
        rest = " ".join(sentences[:taken] + sentences[taken + 1 :])
        if _length(rest) >= _PASSAGE_TERMS_MIN:
            pairs.append(Pair(sentences[taken], rest))
        if len(pairs) == _PAIRS_MAX:
            break
    return pairs


def _sentences(text: str) -> list[str]:
    """The sentences; only in a text without capitals may one begin with a small letter."""
    pattern = _LOWER_CASE_SENTENCE if text.islower() else _SENTENCE
    return [part for part in pattern.split(text) if part]


def _is_usable(sentence: str) -> bool:
    return _SENTENCE_TERMS[0] <= _length(sentence) <= _SENTENCE_TERMS[1]


def _length(text: str) -> int:
    """The number of terms, which languages without spaces between words have, too."""
    return sum(1 for _ in terms(text))
