"""The texts that wait in a lane, and which of them make the next micro-batch.

The oldest text always goes, so nothing starves; those nearest to it in length go with it, so little is padding.
"""

from __future__ import annotations

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
        padding_share_max: the most of them that may be padding...
        padding_free_tokens: ...but so many always may: about what one more call of the engine costs.
    """

    tokens_max: int
    texts_max: int = 256
    padding_share_max: float = 0.05
    padding_free_tokens: int = 32

    @property
    def window_tokens(self) -> int:
        """Among how many of the oldest tokens neighbours are looked for.

        More would save little padding, and begin many requests instead of finishing some.
        """
        return _WINDOW_BATCHES * self.tokens_max

    def admit(self, texts: int, tokens: int, longest: int) -> bool:
        """Whether ``texts`` texts of together ``tokens`` tokens, the longest of ``longest``, make one micro-batch."""
        padded = texts * longest
        padding_max = max(self.padding_free_tokens, self.padding_share_max * padded)
        return texts <= self.texts_max and padded <= self.tokens_max and padded - tokens <= padding_max


class WaitingTexts(Generic[T]):
    """A queue by age, whose oldest part is given out by length. Not thread-safe."""

    def __init__(self) -> None:
        self._later: deque[tuple[int, int, T]] = deque()  # (tokens, arrival, item), the oldest first
        self._window: list[tuple[int, int, T]] = []  # the oldest texts, sorted; arrivals are unique
        self._window_tokens = 0
        self._arrivals = 0
        self._urgent_arrivals = 0
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._window) + len(self._later)

    def add(self, length: int, item: T, urgent: bool = False) -> None:
        """Puts in a text of ``length`` tokens; an urgent one counts as older than all that wait."""
        self.tokens += length
        if urgent:
            self._urgent_arrivals -= 1
            self._later.appendleft((length, self._urgent_arrivals, item))
        else:
            self._later.append((length, self._arrivals, item))
            self._arrivals += 1

    def take(self, limits: BatchLimits) -> list[T]:
        """Takes out one micro-batch: the oldest text, and its neighbours in length while ``limits`` admit them.

        Raises:
            IndexError: nothing waits.
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
        """Moves the oldest texts into the window; an urgent one always, the others while there is room."""
        while self._later and (self._later[0][1] < 0 or not self._window or self._window_tokens < tokens_max):
            entry = self._later.popleft()
            insort(self._window, entry)
            self._window_tokens += entry[0]

    def _oldest(self) -> int:
        """The place in the window of the text that waits longest."""
        return min(range(len(self._window)), key=lambda place: self._window[place][1])

    def _neighbours(self, place: int, limits: BatchLimits) -> tuple[int, int]:
        """Grows the range around ``place``, each time to the side that adds less padding, while admitted."""
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
