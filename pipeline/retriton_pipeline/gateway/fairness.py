"""What the API keys share: requests, queues and bytes. A key that asks for much does not take it from the others."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")
current_key: ContextVar[str] = ContextVar("current_key", default="")  # the name of the API key of this request
_GREED = 8  # a key may hold this many times what is left


def current_caller() -> str | None:
    """The name of the API key of this request, for the lanes; None without one."""
    return current_key.get() or None


class Shares:
    """An amount of which every key may hold eight times as much as is left: there is always some for the next key.

    Args:
        total: the amount.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0
        self._held: Counter[str] = Counter()

    def take(self, key: str, amount: int) -> bool:
        """Takes ``amount`` for ``key``; False, if that is more than its share."""
        left = self.total - self.used
        if amount > left or self._held[key] >= _GREED * left:
            return False
        self.add(key, amount)
        return True

    def add(self, key: str, amount: int) -> None:
        """Counts what ``key`` holds already."""
        self.used += amount
        self._held[key] += amount

    def give_back(self, key: str, amount: int) -> None:
        """Gives back what was taken."""
        self.used -= amount
        self._held[key] -= amount
        if not self._held[key]:
            del self._held[key]


class RoundRobin(Generic[T]):
    """Items that wait; taken one of each key after the other."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()

    def add(self, key: str, item: T) -> None:
        """Adds an item behind those of its key."""
        self._waiting.setdefault(key, deque()).append(item)

    def add_first(self, key: str, items: Iterable[T]) -> None:
        """Adds items, in their order, before those of their key."""
        self._waiting.setdefault(key, deque()).extendleft([*items][::-1])

    def take(self, is_free: Callable[[T], bool] = lambda item: True) -> T | None:
        """The next item that is free, of those that are the first of their key; None if there is none."""
        key = next((key for key, items in self._waiting.items() if is_free(items[0])), None)
        if key is None:
            return None
        items = self._waiting.pop(key)
        item = items.popleft()
        if items:
            self._waiting[key] = items  # behind all others
        return item

    def ahead_of(self, key: str) -> int:
        """How many items would be taken before a new one of ``key``."""
        own = len(self._waiting.get(key, ()))
        return sum(min(len(items), own + (other != key)) for other, items in self._waiting.items())

    def discard(self, key: str, item: T) -> None:
        """Removes an item, if it waits."""
        items = self._waiting.get(key, deque())
        if item in items:
            items.remove(item)
            if not items:
                del self._waiting[key]
