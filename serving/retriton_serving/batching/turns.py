"""Turns of several callers in one queue: each gets the same share of the tokens, however much of it waits.

Start-time fair queueing: a text starts when the previous one of its caller ends, on a clock that advances by the tokens
that are computed for one caller. Texts are computed in the order of their starts. With one caller, that is the order of
their arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

_CALLERS_MAX = 64  # with texts that wait; further ones share the turns of those without a name


@dataclass
class _Turn:
    texts: int = 0  # that wait
    waiting: int = 0  # tokens of these texts; a text may have none
    end: int = 0  # of the last text


class Turns:
    """The callers that have texts in a queue. Not thread-safe."""

    def __init__(self) -> None:
        self._now = 0
        self._callers: dict[str, _Turn] = {}

    def enter(self, caller: str, tokens: int) -> tuple[str, int]:
        """Counts a text that waits; returns the name for `leave`, and the start of the text."""
        if caller not in self._callers and len(self._callers) >= _CALLERS_MAX:
            caller = ""
        turn = self._callers.setdefault(caller, _Turn())
        start = max(self._now, turn.end)
        turn.texts += 1
        turn.waiting += tokens
        turn.end = start + tokens
        return caller, start

    def leave(self, caller: str, tokens: int) -> None:
        """Counts a text that waits no more."""
        turn = self._callers[caller]
        turn.texts -= 1
        turn.waiting -= tokens
        if not turn.texts:
            del self._callers[caller]

    def advance(self, start: int) -> None:
        """Sets the clock to the start of the text that is computed, unless it is ahead of it."""
        self._now = max(self._now, start)

    def tokens_ahead(self, caller: str) -> int:
        """Tokens that are computed before a new text of ``caller``: its own, and as many of each other caller."""
        own = self._callers[caller].waiting if caller in self._callers else 0
        return sum(min(turn.waiting, own) for turn in self._callers.values())
