"""Shards: parts of one corpus that independent processes ingest, for example the pods of an Indexed Job."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from retriton_pipeline.errors import InvalidOption


@dataclass(frozen=True)
class Shard:
    """One of several shards. A file belongs to the shard that the hash of its location selects.

    So the shard of a file does not change when other files are added or removed, and no process needs to know what the
    others do.

    Attributes:
        index: from 0.
        count: number of shards.

    Raises:
        InvalidOption: the index is not below the count.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise InvalidOption(
                f"shard {self.index}/{self.count} does not exist: the first of {max(self.count, 1)} is 0, and the last "
                f"is {max(self.count, 1) - 1}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses ``INDEX/COUNT``, for example ``0/8``.

        Raises:
            InvalidOption: it is malformed, or the index is not below the count.
        """
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        if match is None:
            raise InvalidOption(f"the shard is {text!r}, it must be INDEX/COUNT with the index from 0, for example 0/8")
        return cls(int(match[1]), int(match[2]))

    def owns(self, location: str) -> bool:
        """Whether the file at ``location`` belongs to this shard."""
        digest = hashlib.sha256(location.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index
