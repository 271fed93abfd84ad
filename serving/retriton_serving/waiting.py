"""The texts that wait in a lane, and which of them make the next micro-batch.

The oldest text always goes, so nothing starves; those nearest to it in length go with it, so little is padding.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class BatchLimits:
    """When a micro-batch is full.

    Attributes:
        tokens_max: the most tokens of a micro-batch, padding included; one longer text goes alone.
        padding_share_max: the most of them that may be padding...
        padding_free_tokens: ...but so many always may: about what one more call of the engine costs.
    """

    tokens_max: int
    padding_share_max: float = 0.05
    padding_free_tokens: int = 32

    def admit(self, texts: int, tokens: int, longest: int) -> bool:
        """Whether ``texts`` texts of together ``tokens`` tokens, the longest of ``longest``, make one micro-batch."""
        padded = texts * longest
        padding_max = max(self.padding_free_tokens, self.padding_share_max * padded)
        return padded <= self.tokens_max and padded - tokens <= padding_max


class WaitingTexts(Generic[T]):
    """A queue by age that gives out neighbours in length. Not thread-safe."""

    def __init__(self) -> None:
        self._by_length: list[tuple[int, int, T]] = []  # (tokens, arrival, item); arrivals are unique
        self._by_age: deque[tuple[int, int]] = deque()  # (tokens, arrival); may name texts already taken
        self._arrivals = 0
        self._urgent_arrivals = 0
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._by_length)

    def add(self, length: int, item: T, urgent: bool = False) -> None:
        """Puts in a text of ``length`` tokens; an urgent one counts as older than all that wait."""
        if urgent:
            self._urgent_arrivals -= 1
            key = (length, self._urgent_arrivals)
            self._by_age.appendleft(key)
        else:
            key = (length, self._arrivals)
            self._by_age.append(key)
            self._arrivals += 1
        insort(self._by_length, (*key, item))
        self.tokens += length

    def take(self, limits: BatchLimits) -> list[T]:
        """Takes out one micro-batch: the oldest text, and its neighbours in length while ``limits`` admit them.

        Raises:
            IndexError: nothing waits.
        """
        low, high = self._neighbours(self._oldest(), limits)
        batch = self._by_length[low:high]
        del self._by_length[low:high]
        self.tokens -= sum(length for length, _, _ in batch)
        return [item for _, _, item in batch]

    def _oldest(self) -> int:
        """The place in ``_by_length`` of the text that waits longest."""
        while True:
            key = self._by_age.popleft()
            place = bisect_left(self._by_length, key)
            if place < len(self._by_length) and self._by_length[place][:2] == key:
                return place

    def _neighbours(self, place: int, limits: BatchLimits) -> tuple[int, int]:
        """Grows the range around ``place``, each time to the side that adds less padding, while admitted."""
        entries = self._by_length
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
