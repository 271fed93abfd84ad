"""A queue that forms micro-batches of similar lengths.

The text whose turn it is is always in the next micro-batch, so none starves; its nearest neighbours in length join it,
so padding stays small.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from typing import Generic, TypeVar

from retriton_serving.batching.turns import Turns

T = TypeVar("T")
_Place = tuple[int, int]  # start and arrival
_WINDOW_BATCHES = 16
_URGENT = -1  # a start before all others


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
        """The first tokens, among which neighbours in length are chosen.

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
    """By the turns of callers between windows; sorted by length inside the window. Not thread-safe.

    Attributes:
        tokens: of all texts.
        turns: of the callers; urgent texts have none.
    """

    def __init__(self) -> None:
        self._later: list[tuple[_Place, int, str | None, T]] = []  # (place, tokens, caller, item), a heap
        self._window: list[tuple[int, _Place, str | None, T]] = []  # the first texts, sorted; places are unique
        self._window_tokens = 0
        self._order: list[tuple[_Place, int]] = []  # (place, tokens) of the window, a heap
        self._taken: set[_Place] = set()  # out of the window, and still in its order
        self._arrivals = 0
        self.tokens = 0
        self.turns = Turns()

    def __len__(self) -> int:
        return len(self._window) + len(self._later)

    def add(self, length: int, item: T, caller: str = "", urgent: bool = False) -> None:
        """Adds a text of ``length`` tokens; an urgent one precedes all that are not."""
        name, start = (None, _URGENT) if urgent else self.turns.enter(caller, length)
        heappush(self._later, ((start, self._arrivals), length, name, item))
        self._arrivals += 1
        self.tokens += length

    def take(self, limits: BatchLimits) -> list[T]:
        """Removes one micro-batch: the first text, and its neighbours in length within ``limits``.

        Raises:
            ValueError: the queue is empty.
        """
        self._fill_window(limits.window_tokens)
        if not self._window:
            raise ValueError("the queue is empty")
        place, length = self._first()
        low, high = self._neighbours(bisect_left(self._window, (length, place)), limits)
        batch = self._window[low:high]
        del self._window[low:high]
        for tokens, _, caller, _ in batch:
            self._window_tokens -= tokens
            self.tokens -= tokens
            if caller is not None:
                self.turns.leave(caller, tokens)
        self.turns.advance(place[0])
        self._taken.update(taken for _, taken, _, _ in batch)
        return [item for _, _, _, item in batch]

    def _fill_window(self, tokens_max: int) -> None:
        """Moves texts into the window while there is room, and all that precede those in it."""
        first = self._first()[0] if self._window else (_URGENT, 0)
        while self._later and (not self._window or self._window_tokens < tokens_max or self._later[0][0] < first):
            place, length, caller, item = heappop(self._later)
            insort(self._window, (length, place, caller, item))
            heappush(self._order, (place, length))
            self._window_tokens += length

    def _first(self) -> tuple[_Place, int]:
        """Place and tokens of the first text in the window, which is not empty."""
        while self._order[0][0] in self._taken:
            self._taken.remove(heappop(self._order)[0])
        return self._order[0]

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
