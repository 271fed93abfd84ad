"""Training data: passages, queries, and judgements of which passages answer which queries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Labels:
    """A collection with judged queries.

    Attributes:
        name: of the folder or file.
        passages: text by id, with the title in front.
        titles: title by passage id; passages of one title belong to one document.
        queries: text by id, of judged queries.
        relevant: by query id: the grade, above zero, of each relevant passage.
        negatives: by query id: passages that the user knows not to be relevant.
        parts: by query id: the part that the data itself assigns; empty where it assigns none.
        unlabelled: queries without judgements.
        dropped: what was left out, in words.
    """

    name: str
    passages: Mapping[str, str]
    titles: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    relevant: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    negatives: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    unlabelled: Sequence[str] = ()
    dropped: Sequence[str] = ()

    @property
    def pairs(self) -> int:
        """The number of pairs of a query and a relevant passage."""
        return sum(map(len, self.relevant.values()))

    def digest(self) -> str:
        """A hex digest of everything that training and evaluation see."""
        seen = [self.passages, self.queries, self.relevant, self.negatives, self.parts, list(self.unlabelled)]
        return hashlib.sha256(json.dumps(seen, sort_keys=True, default=list).encode()).hexdigest()

    def with_passages(self, passages: Mapping[str, str], titles: Mapping[str, str]) -> Labels:
        """The same with further passages; those with an id that exists are kept as they are."""
        return replace(self, passages={**passages, **self.passages}, titles={**titles, **self.titles})

    def with_queries(self, texts: Sequence[str]) -> Labels:
        """The same with further unlabelled queries; those that are judged, or occur twice, count once."""
        judged = set(map(normalized, self.queries.values()))
        log = {normalized(text): text for text in [*self.unlabelled, *texts] if text.strip()}
        return replace(self, unlabelled=[text for key, text in log.items() if key not in judged])


@dataclass(frozen=True)
class Task:
    """Queries to rank the passages of a collection for.

    Attributes:
        name: for tables.
        queries: text by id.
        passages: text by id.
        relevant: by query id: the grade of each relevant passage.
        candidates: by query id: the passages that a cross-encoder orders; not used by encoders.
    """

    name: str
    queries: Mapping[str, str]
    passages: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]
    candidates: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """A training example: a query, a passage that answers it, and optionally passages that do not."""

    query: str
    passage: str
    negatives: tuple[str, ...] = ()


def normalized(text: str) -> str:
    """``text`` in lower case, with single spaces: equal for queries that differ in nothing else."""
    return " ".join(text.casefold().split())
