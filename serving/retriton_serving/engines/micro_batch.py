"""Micro-batches at an engine, and which of them go first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from retriton_serving.engines import Feed

Rows = NDArray[np.float32]


class Priority(IntEnum):
    """What goes first.

    Attributes:
        QUERIES: a caller waits for them.
        PASSAGES: of a time without queries.
        PASSAGES_BESIDE_QUERIES: of a time in which queries arrive.
    """

    QUERIES = 0
    PASSAGES = 1
    PASSAGES_BESIDE_QUERIES = 2


@dataclass(order=True)
class MicroBatch:
    """The inputs of an engine. Micro-batches are ordered: those of queries first, then by arrival.

    Attributes:
        later: whether those of queries go before it.
        arrival: its number.
        priority: of the workers that compute it.
        feed: the inputs by name, int64 ``[n, longest]`` each.
        reply: called once, with the output or with the failure.
        attempts: how often it has failed.
    """

    later: bool
    arrival: int
    priority: Priority = field(compare=False)
    feed: Feed = field(compare=False)
    reply: Callable[[Rows | Exception], None] = field(compare=False)
    attempts: int = field(default=0, compare=False)
