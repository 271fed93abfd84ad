"""A queue that forms micro-batches of similar lengths.

The oldest text is always in the next micro-batch, so none starves; its nearest neighbours in length join it, so padding
stays small.
"""

from __future__ import annotations

import sys
from bisect import insort
from collections import deque
from dataclasses import dataclass
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

    def admit(self, texts: int, tokens: int, longest: int) -> bool:
        """Whether ``texts`` texts with ``tokens`` tokens in all, the longest with ``longest``, fit one micro-batch."""
        padded = texts * longest
        padding_max = max(self.padding_free_tokens, self.padding_share_max * padded)
        return texts <= self.texts_max and padded <= self.tokens_max and padded - tokens <= padding_max


class LengthSortedQueue(Generic[T]):
    """First in, first out between windows; sorted by length inside the window. Not thread-safe."""

    def __init__(self) -> None:
        self._urgent: deque[tuple[int, int, T]] = deque()  # (tokens, arrival, item), oldest first
        self._later: deque[tuple[int, int, T]] = deque()
        self._window: list[tuple[int, int, T]] = []  # the oldest texts, sorted; arrivals are unique
        self._window_tokens = 0
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
        low, high = self._neighbours(self._oldest(), limits)
        batch = self._window[low:high]
        del self._window[low:high]
        tokens = sum(length for length, _, _ in batch)
        self._window_tokens -= tokens
        self.tokens -= tokens
        return [item for _, _, item in batch]

    def _fill_window(self, tokens_max: int) -> None:
        """Moves the oldest texts into the window: urgent ones always, the others while there is room."""
        while self._urgent or (self._later and (not self._window or self._window_tokens < tokens_max)):
            entry = (self._urgent or self._later).popleft()
            insort(self._window, entry)
            self._window_tokens += entry[0]

    def _oldest(self) -> int:
        """The index of the oldest text in the window."""
        return min(range(len(self._window)), key=lambda place: self._window[place][1])

    def _neighbours(self, place: int, limits: BatchLimits) -> tuple[int, int]:
        """Extends the range around ``place`` to the side that adds less padding, within ``limits``."""
        entries = self._window
        low, high = place, place + 1
        tokens = longest = entries[place][0]
        while True:
            choices = []
            if low > 0:
                choices.append((low - 1, high, tokens + entries[low - 1][0], longest))
            if high < len(entries):
                choices.append((low, high + 1, tokens + entries[high][0], entries[high][0]))
            admitted = [choice for choice in choices if limits.admit(choice[1] - choice[0], choice[2], choice[3])]
            if not admitted:
                return low, high
            low, high, tokens, longest = min(
                admitted, key=lambda choice: (choice[1] - choice[0]) * choice[3] - choice[2]
            )
