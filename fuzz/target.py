"""What is fuzzed: a function of bytes, its seeds, and the time and memory that an input of a given size may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from fuzz.containers import FLAT, Container

MIB = 1024**2


class Violation(Exception):
    """A property that must hold for every input does not hold."""


@dataclass(frozen=True)
class Bound:
    """The CPU time and memory that one input may take.

    Attributes:
        seconds: for an input of any size.
        seconds_per_mib: in addition, for each MiB of it.
        mib: growth of the peak resident memory, for an input of any size.
        mib_per_mib: in addition, for each MiB of it.
    """

    seconds: float = 2.0
    seconds_per_mib: float = 40.0
    mib: float = 192.0
    mib_per_mib: float = 200.0

    def seconds_for(self, size_bytes: int) -> float:
        """The most CPU time of an input, in seconds."""
        return self.seconds + self.seconds_per_mib * size_bytes / MIB

    def mib_for(self, size_bytes: int) -> float:
        """The most growth of memory by an input, in MiB."""
        return self.mib + self.mib_per_mib * size_bytes / MIB


@dataclass(frozen=True)
class Target:
    """A function that is fuzzed.

    Attributes:
        name: on the command line.
        run: handles one input. It raises nothing for an input that is refused with a documented error; whatever it
            raises is a finding.
        seeds: small valid inputs, by name.
        attacks: large or hostile inputs by name, each run once.
        words: sequences that mean something in the format.
        container: takes inputs apart, so that mutations reach below compression and checksums.
        bound: see `Bound`.
        service: what has to run meanwhile, such as a server.
        in_process: whether it runs in this process, so that coverage can guide the search.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Mapping[str, bytes]]
    attacks: Callable[[], Mapping[str, Callable[[], bytes]]] = field(default=dict)
    words: tuple[bytes, ...] = ()
    container: Container = FLAT
    bound: Bound = field(default_factory=Bound)
    service: Callable[[], AbstractContextManager[object]] = nullcontext
    in_process: bool = True
