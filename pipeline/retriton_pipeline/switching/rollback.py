"""The way back from a switch: the former version is searched again, without re-embedding."""

from __future__ import annotations

from dataclasses import dataclass

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.store.switching import VersionChunks, VersionSwitch


@dataclass(frozen=True)
class _Changes:
    """How two versions differ.

    Attributes:
        written: chunks that only the current version has.
        deleted: chunks that only the former version has.
        documents: documents that these chunks belong to.
    """

    written: int
    deleted: int
    documents: int

    @classmethod
    def between(cls, current: VersionChunks, former: VersionChunks) -> _Changes:
        written, deleted = _only_in(current, former), _only_in(former, current)
        return cls(len(written), len(deleted), len({*written.values(), *deleted.values()}))


def roll_back(versions: VersionSwitch, force: bool = False) -> str:
    """Makes searches use the former version; a switch that was interrupted is discarded instead.

    Args:
        versions: of the collection.
        force: even if documents were written since the switch; the versions are not compared.

    Returns:
        What was done, in one sentence.

    Raises:
        NoSuchCollection, StoreError: see `VersionSwitch`.
        PipelineError: there is no former version, or it lacks what was written since the switch.
    """
    current = versions.current()
    if unfinished := versions.unfinished():
        versions.discard(unfinished)
        return f"the unfinished switch was discarded ({', '.join(unfinished)}); searches use {current.version}"
    former = versions.former()
    if former is None:
        raise PipelineError(
            "there is no former version: the last one was dropped, or the collection was never switched. Use "
            "`retriton switch` with the other encoder"
        )
    if not force:
        _refuse_changes(versions, current, former)
    versions.roll_back(current.version, former.version)
    return f"searches use {former.version} ({former.description.encoder}); {current.version} is kept"


def _refuse_changes(versions: VersionSwitch, current: VersionChunks, former: VersionChunks) -> None:
    """Freezes the current version, and compares it; raises `PipelineError` if they differ."""
    is_equal = False
    versions.freeze(current.version)
    try:
        changes = _Changes.between(current, former)
        is_equal = not (changes.written or changes.deleted)
    finally:
        if not is_equal:
            versions.thaw(current.version)
    if not is_equal:
        raise PipelineError(
            f"documents changed since the switch ({changes.documents}): {former.version} lacks {changes.written} "
            f"chunks that were written, and has {changes.deleted} that were deleted. --force goes back without them; "
            "then ingest these documents again. To keep them, `retriton switch` to the former encoder"
        )


def _only_in(one: VersionChunks, other: VersionChunks) -> dict[str, str]:
    """The document of each chunk that only ``one`` has, by primary key."""
    return {row["id"]: row["document_id"] for page in one.ids() for row in other.absent(page)}
