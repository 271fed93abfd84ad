"""A queue that forms micro-batches of similar lengths.

The oldest text is always in the next micro-batch, so none starves; its nearest neighbours in length join it, so padding
stays small.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")
_WINDOW_BATCHES = 16


@dataclass(frozen=True)
class BatchLimits:
    """When a micro-batch is full.

    Attributes:
        tokens_max: the most tokens of a micro-batch, padding included; one longer text goes alone.
        texts_max: the most texts of a micro-batch.
        padding_share_max: the most padding, as a share of all tokens.
        padding_free_tokens: padding that is always allowed: the cost of one more call of the engine.
    """

    tokens_max: int
    texts_max: int = 256
    padding_share_max: float = 0.05
    padding_free_tokens: int = 32

    @property
    def window_tokens(self) -> int:
        """The oldest tokens, among which neighbours in length are chosen.

        A larger window saves little padding, and begins many requests instead of completing some.
        """
        return _WINDOW_BATCHES * self.tokens_max

    def padding(self, texts: int, tokens: int, longest: int) -> float:
        """The padding of ``texts`` texts with ``tokens`` tokens in all, the longest with ``longest``.

        Infinite if they do not fit one micro-batch.
        """
        padded = texts * longest
        padding = padded - tokens
        if texts > self.texts_max or padded > self.tokens_max:
            return inf
        if padding > self.padding_free_tokens and padding > self.padding_share_max * padded:
            return inf
        return padding


class LengthSortedQueue(Generic[T]):
    """First in, first out between windows; sorted by length inside the window. Not thread-safe."""

    def __init__(self) -> None:
        self._urgent: deque[tuple[int, int, T]] = deque()  # (tokens, arrival, item), oldest first
        self._later: deque[tuple[int, int, T]] = deque()
        self._window: list[tuple[int, int, T]] = []  # the oldest texts, sorted; arrivals are unique
        self._window_tokens = 0
        # The window in the order of arrival, urgent texts apart, and the arrivals of what was taken out of it since.
        self._urgent_order: deque[tuple[int, int]] = deque()  # (tokens, arrival)
        self._order: deque[tuple[int, int]] = deque()
        self._taken: set[int] = set()
        self._arrivals = 0
        self._urgent_arrivals = -sys.maxsize  # before all others
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._window) + len(self._later) + len(self._urgent)

    def add(self, length: int, item: T, urgent: bool = False) -> None:
        """Adds a text of ``length`` tokens; an urgent one counts as older than all that are not."""
        self.tokens += length
        if urgent:
            self._urgent.append((length, self._urgent_arrivals, item))
            self._urgent_arrivals += 1
        else:
            self._later.append((length, self._arrivals, item))
            self._arrivals += 1

    def take(self, limits: BatchLimits) -> list[T]:
        """Removes one micro-batch: the oldest text, and its neighbours in length within ``limits``.

        Raises:
            ValueError: the queue is empty.
        """
        self._fill_window(limits.window_tokens)
        low, high = self._neighbours(bisect_left(self._window, self._oldest()), limits)
        batch = self._window[low:high]
        del self._window[low:high]
        tokens = sum(length for length, _, _ in batch)
        self._window_tokens -= tokens
        self.tokens -= tokens
        self._taken.update(arrival for _, arrival, _ in batch)
        return [item for _, _, item in batch]

    def _fill_window(self, tokens_max: int) -> None:
        """Moves the oldest texts into the window: urgent ones always, the others while there is room."""
        while self._urgent:
            self._urgent_order.append(self._insert(self._urgent.popleft()))
        while self._later and (not self._window or self._window_tokens < tokens_max):
            self._order.append(self._insert(self._later.popleft()))

    def _insert(self, entry: tuple[int, int, T]) -> tuple[int, int]:
        insort(self._window, entry)
        self._window_tokens += entry[0]
        return entry[:2]

    def _oldest(self) -> tuple[int, int]:
        """Tokens and arrival of the oldest text in the window."""
        for order in (self._urgent_order, self._order):
            while order and order[0][1] in self._taken:
                self._taken.remove(order.popleft()[1])
            if order:
                return order[0]
        raise ValueError("the queue is empty")

    def _neighbours(self, place: int, limits: BatchLimits) -> tuple[int, int]:
        """Extends the range around ``place`` to the side that adds less padding, within ``limits``."""
        window = self._window
        low, high = place, place + 1
        tokens = longest = window[place][0]
        while True:
            texts = high - low + 1
            shorter = window[low - 1][0] if low > 0 else 0
            longer = window[high][0] if high < len(window) else 0
            left = limits.padding(texts, tokens + shorter, longest) if shorter else inf
            right = limits.padding(texts, tokens + longer, longer) if longer else inf
            if left <= right:
                if left == inf:
                    return low, high
                low, tokens = low - 1, tokens + shorter
            else:
                high, tokens, longest = high + 1, tokens + longer, longer
