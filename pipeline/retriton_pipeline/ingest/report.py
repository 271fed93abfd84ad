"""Report of an ingestion run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Skipped:
    """A file or record that was not stored, and the reason."""

    source: str
    reason: str


@dataclass
class IngestReport:
    """Counts of an ingestion run.

    A file is one document; in a file of records, each record is one document.

    Attributes:
        documents: number of all documents.
        chunks, tokens: number of embedded chunks and tokens.
        added, unchanged, replaced: number of documents by outcome.
        skipped: documents that were not stored.
        pruned: number of deleted documents; None if the run did not prune.
        seconds: duration of the run.
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

    def add(self, other: IngestReport) -> None:
        """Adds the counts of another part of the same run; ``pruned`` and ``seconds`` are those of the run."""
        for name in ("documents", "chunks", "added", "unchanged", "replaced", "tokens"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.skipped += other.skipped

    def as_json(self) -> dict[str, Any]:
        """Returns the report as a JSON object, with ``tokens_per_s`` in place of ``tokens``."""
        report = asdict(self)
        tokens = report.pop("tokens")
        if self.pruned is None:
            del report["pruned"]
        return {
            **report,
            "seconds": round(self.seconds, 3),
            "tokens_per_s": round(tokens / self.seconds, 1) if self.seconds else 0.0,
        }
