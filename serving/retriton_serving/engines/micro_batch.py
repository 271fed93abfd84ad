"""Micro-batches at an engine, and how much of one is computed at a time while queries arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retriton_serving.engines import Feed

Rows = NDArray[np.float32]
_QUERIES_S = 1.0  # queries arrive if the last one came within this time
_TURN_S = 0.02  # how long a query should wait for passages in progress
_NEWEST = 0.2  # weight of the newest measurement of the pace


@dataclass(order=True)
class MicroBatch:
    """The inputs of an engine, int64 ``[n, longest]`` each, and the rows that are computed so far.

    Micro-batches are ordered: those of queries first, then by arrival.

    Attributes:
        later: whether those of queries go before it.
        arrival: its number.
        feed: the inputs, by name.
        reply: called once, with the output or with the failure.
        attempts: how often it has failed.
    """

    later: bool
    arrival: int
    feed: Feed = field(compare=False)
    reply: Callable[[Rows | Exception], None] = field(compare=False)
    attempts: int = field(default=0, compare=False)
    _computed: list[Rows] = field(default_factory=list, compare=False)

    def part(self, tokens_max: float) -> Feed:
        """The inputs of the rows that are next: at least one, and no more than ``tokens_max`` tokens allow."""
        first, (rows, longest) = self._first, self._shape
        end = first + max(1, int(min(rows, tokens_max / longest)))
        return {name: array[first:end] for name, array in self.feed.items()}

    def add(self, rows: Rows) -> bool:
        """Adds the output of a part; returns whether rows are left. If none are, the micro-batch is answered."""
        self._computed.append(rows)
        if self._first < self._shape[0]:
            return True
        self.reply(rows if len(self._computed) == 1 else np.concatenate(self._computed))
        return False

    @property
    def _first(self) -> int:
        return sum(len(rows) for rows in self._computed)

    @property
    def _shape(self) -> tuple[int, int]:
        rows, longest = next(iter(self.feed.values())).shape
        return rows, longest


class Turns:
    """How many tokens of passages a worker computes before it looks for queries again.

    Without queries, a whole micro-batch. While queries arrive, what takes about 20 ms at the pace so far, since a query
    waits for what is in progress.
    """

    def __init__(self) -> None:
        self._query_s = float("-inf")
        self._tokens_per_s = 0.0

    def saw_query(self) -> None:
        """Notes that a query arrives."""
        self._query_s = time.monotonic()

    def tokens_max(self) -> float:
        """So many tokens, padding included."""
        if not self._tokens_per_s or time.monotonic() - self._query_s > _QUERIES_S:
            return float("inf")
        return self._tokens_per_s * _TURN_S

    def saw_pace(self, tokens: int, seconds: float) -> None:
        """Notes how long one worker computed a number of tokens."""
        pace = tokens / seconds
        self._tokens_per_s += (_NEWEST if self._tokens_per_s else 1.0) * (pace - self._tokens_per_s)
