"""Training pairs from labels, and their hard negatives."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from retriton_tuning.labels import Labels, Pair
from retriton_tuning.measures import Run
from retriton_tuning.splitting import Split

_POSITIVE_SHARE_MAX = 0.95  # a negative scores at most so much of the positive (NV-Retriever, TopK-PercPos)
_NEAREST = 50  # hits that negatives are taken from


def labelled_pairs(labels: Labels, split: Split) -> list[Pair]:
    """The pairs of the training part; passages that the test or validation part shows are left out."""
    pairs = []
    for query in split.queries["train"]:
        known = tuple(labels.passages[key] for key in labels.negatives.get(query, ()) if key not in split.excluded)
        passages = [passage for passage in labels.relevant[query] if passage not in split.excluded]
        pairs += [Pair(labels.queries[query], labels.passages[passage], known) for passage in passages]
    return list(dict.fromkeys(pairs))


def held_out_passages(labels: Labels, split: Split) -> Set[str]:
    """Passages that must not be trained on: those of validation and test, and if it is split so, of their documents."""
    if not split.by_document:
        return split.excluded
    titles = {labels.titles.get(passage, "") for passage in split.excluded} - {""}
    return split.excluded | {passage for passage, title in labels.titles.items() if title in titles}


def with_negatives(
    pairs: Sequence[Pair], labels: Labels, dense: Run, held_out: Set[str], count: int, seed: int = 0
) -> list[Pair]:
    """Pairs with ``count`` negatives each: those that the data has, then mined ones.

    A mined negative is among the nearest passages of the query, is no known positive of it, is not held out, and scores
    at most 95 % of the query's best positive, because what scores more is often an answer that nobody labelled.

    Args:
        pairs: training pairs.
        labels: the collection.
        dense: ranking of the original model for the training queries, by query id.
        held_out: passages that must not be seen.
        count: negatives for each pair.
        seed: of the random passages that fill up.
    """
    ids = {text: query for query, text in labels.queries.items()}
    others = [key for key in labels.passages if key not in held_out]
    chance = random.Random(seed)  # noqa: S311
    found = []
    for pair in pairs:
        query = ids.get(pair.query, "")
        positives = {labels.passages[key] for key in labels.relevant.get(query, ())} | {pair.passage}
        mined = _mined(labels, dense.get(query, {}), positives, held_out)
        filling = (labels.passages[chance.choice(others)] for _ in range(10 * count + 10))
        listed = dict.fromkeys([*pair.negatives, *mined, *(text for text in filling if text not in positives)])
        found.append(replace(pair, negatives=tuple(listed)[:count]))
    return found


def _mined(labels: Labels, scores: Mapping[str, float], positives: Set[str], held_out: Set[str]) -> list[str]:
    of_positives = [value for key, value in scores.items() if labels.passages[key] in positives]
    limit = _POSITIVE_SHARE_MAX * (max(of_positives) if of_positives else max(scores.values(), default=0.0))
    return [
        labels.passages[key]
        for key, value in list(scores.items())[:_NEAREST]
        if value <= limit and key not in held_out and labels.passages[key] not in positives
    ]
