"""What an ingestion did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Skipped:
    """A file, or a record of one, that is not in the store, and why."""

    source: str
    reason: str


@dataclass
class IngestReport:
    """Counts of documents, but for ``chunks`` and ``tokens``, which count what was embedded.

    A file is one document, and so is each record of a file of records. ``pruned`` is None where nothing was asked to
    be pruned.
    """

    documents: int = 0
    chunks: int = 0
    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    pruned: int | None = None
    seconds: float = 0.0
    tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        report = asdict(self)
        tokens = report.pop("tokens")
        if self.pruned is None:
            del report["pruned"]
        return {
            **report,
            "seconds": round(self.seconds, 3),
            "tokens_per_s": round(tokens / self.seconds, 1) if self.seconds else 0.0,
        }
