"""Splits judged queries by document into parts to train on, to choose with, and to test with."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retriton_tuning.errors import TooLittleData
from retriton_tuning.labels import PARTS, Labels
from retriton_tuning.near_duplicates import connected, near_duplicates

TEST_MIN = 30  # fewer test queries cannot show an improvement
_TRAIN_MIN = 8
_LARGEST_SHARE = 0.4  # of the queries that may belong to one group of documents
_FEW = 150
_RULES = (  # what connects queries to groups that stay in one part
    (("title", "passage", "query", "relevant"), "by document: no document has queries in two parts"),
    (("passage", "query", "relevant"), "by passage: titles connect too many passages to split by document"),
    (("passage", "query"), "by query: relevant passages are shared by too many queries to split by passage"),
)
_SHARES = {"train": 0.5, "validation": 0.1, "test": 0.4}
_SHARES_OF_FEW = {"train": 0.4, "validation": 0.1, "test": 0.5}


@dataclass(frozen=True)
class Split:
    """The queries of each part.

    Attributes:
        queries: ids by part, in `PARTS`.
        groups: by query id: the group of documents that its passages belong to.
        excluded: passages that must not be trained on: those of validation and test, and their duplicates.
        by_document: whether passages of one title are in one part.
        notes: how the split was made, in words.
    """

    queries: Mapping[str, Sequence[str]]
    groups: Mapping[str, int]
    excluded: frozenset[str] = frozenset()
    by_document: bool = False
    notes: Sequence[str] = field(default_factory=list)

    @property
    def sizes(self) -> str:
        """The number of queries of each part, in words."""
        return ", ".join(f"{len(self.queries[part])} {part}" for part in PARTS)


def split(labels: Labels, seed: int = 0) -> Split:
    """Splits the judged queries.

    Queries whose passages are of one document (one title), or nearly the same, or that nearly repeat each other, are in
    the same part. Where that would leave one part with nearly everything, queries are split alone, and what is relevant
    to a query of the test part is not trained on. A division that the data brings is kept.

    Raises:
        TooLittleData: there are too few queries to train and to test.
    """
    queries = list(labels.queries)
    if len(queries) < 2 * _TRAIN_MIN:
        raise TooLittleData(
            f"{labels.name} has {len(queries)} judged queries; at least {2 * _TRAIN_MIN} are needed to train and test, "
            f"and {2 * TEST_MIN} to show an improvement"
        )
    links = _links(labels)
    if labels.parts and (given := _given(labels, links)):
        return given
    groups, note = _grouping(labels, links)
    parts = _assign(groups, len(queries), seed)
    return _finished(labels, links, parts, groups, note)


def _grouping(labels: Labels, links: Mapping[str, set[tuple[str, str]]]) -> tuple[dict[str, int], str]:
    """The group of each query, by the strictest rule that leaves several groups, and that rule in words."""
    for kinds, note in _RULES:
        groups = _groups(labels, links, kinds)
        if Counter(groups.values()).most_common(1)[0][1] <= _LARGEST_SHARE * len(groups):
            return groups, note
    return groups, note


def _given(labels: Labels, links: Mapping[str, set[tuple[str, str]]]) -> Split | None:
    """The division that the data brings; None if too little of its training part remains."""
    rest = [query for query in labels.queries if labels.parts[query] != "test"]
    validation = {query for query in rest if labels.parts[query] == "validation"} or _some(labels, links, rest)
    parts = {
        "train": [query for query in rest if query not in validation],
        "validation": [query for query in rest if query in validation],
        "test": [query for query in labels.queries if labels.parts[query] == "test"],
    }
    groups = _groups(labels, links, ("title", "passage", "query", "relevant"))
    found = _finished(labels, links, parts, groups, "as the data divides its judgements")
    return found if len(found.queries["train"]) >= _TRAIN_MIN else None


def _some(labels: Labels, links: Mapping[str, set[tuple[str, str]]], queries: Sequence[str]) -> set[str]:
    """Some of the queries to choose with: whole groups that share passages, as far as they are small."""
    groups = _groups(labels, links, ("passage", "query", "relevant"))
    sizes = Counter(groups[query] for query in queries)
    some: set[str] = set()
    for query in queries[:: max(1, len(queries) // 100)]:
        if len(some) < _SHARES["validation"] * len(queries) and sizes[groups[query]] <= 0.05 * len(queries) + 1:
            some |= {other for other in queries if groups[other] == groups[query]}
    return some or set(queries[::8])


def _links(labels: Labels) -> dict[str, set[tuple[str, str]]]:
    """What belongs together, by reason: pairs of nodes, which are ``p`` or ``q`` followed by an id."""
    positives = list(dict.fromkeys(passage for grades in labels.relevant.values() for passage in grades))
    first_of: dict[str, str] = {}
    by_title = set()
    for passage in positives:
        if title := labels.titles.get(passage, "").strip():
            by_title.add((f"p{first_of.setdefault(title, passage)}", f"p{passage}"))
    texts = [labels.passages[passage] for passage in positives]
    queries = list(labels.queries)
    return {
        "title": by_title,
        "passage": {(f"p{positives[a]}", f"p{positives[b]}") for a, b in near_duplicates(texts)},
        "query": {
            (f"q{queries[a]}", f"q{queries[b]}")
            for a, b in near_duplicates([labels.queries[query] for query in queries], words=1)
        },
        "relevant": {(f"q{query}", f"p{passage}") for query in queries for passage in labels.relevant[query]},
    }


def _groups(labels: Labels, links: Mapping[str, set[tuple[str, str]]], kinds: Sequence[str]) -> dict[str, int]:
    """The number of the group of each query."""
    nodes = [f"q{query}" for query in labels.queries]
    nodes += dict.fromkeys(f"p{passage}" for grades in labels.relevant.values() for passage in grades)
    component = connected(nodes, [link for kind in kinds for link in links[kind]])
    return {query: component[f"q{query}"] for query in labels.queries}


def _assign(groups: Mapping[str, int], total: int, seed: int) -> dict[str, list[str]]:
    """Whole groups to parts, in random order, each to the part that lacks most of its share."""
    members = defaultdict(list)
    for query, group in groups.items():
        members[group].append(query)
    order = sorted(members)
    random.Random(seed).shuffle(order)  # noqa: S311
    order.sort(key=lambda group: -len(members[group]) * (len(members[group]) > 0.05 * total))  # the large ones first
    shares = _SHARES if total >= _FEW else _SHARES_OF_FEW
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for group in order:
        part = max(PARTS, key=lambda name: shares[name] - len(parts[name]) / total)
        parts[part] += members[group]
    return parts


def _finished(
    labels: Labels,
    links: Mapping[str, set[tuple[str, str]]],
    parts: Mapping[str, Sequence[str]],
    groups: Mapping[str, int],
    note: str,
) -> Split:
    """The split without training queries that would show passages or queries of another part."""
    held_out = [*parts["validation"], *parts["test"]]
    seen = {f"q{query}" for query in held_out}
    seen |= {f"p{passage}" for query in held_out for passage in labels.relevant[query]}
    nodes = list(dict.fromkeys([*seen, *(f"q{q}" for q in labels.queries), *_positive_nodes(labels)]))
    component = connected(nodes, [*links["passage"], *links["query"]])
    closed = {component[node] for node in seen}
    excluded = frozenset(node[1:] for node in nodes if node[0] == "p" and component[node] in closed)
    train = [
        query
        for query in parts["train"]
        if component[f"q{query}"] not in closed and not excluded.issuperset(labels.relevant[query])
    ]
    notes = [f"split {note}"]
    if leaked := len(parts["train"]) - len(train):
        notes.append(f"{leaked} training queries are left out, because the test or validation part repeats them")
    return Split({**parts, "train": train}, groups, excluded, note == _RULES[0][1], notes)


def _positive_nodes(labels: Labels) -> list[str]:
    return [f"p{passage}" for grades in labels.relevant.values() for passage in grades]
