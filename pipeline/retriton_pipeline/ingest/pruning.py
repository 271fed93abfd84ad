"""What a run has seen, and the deletion of stored documents that it has not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from retriton_pipeline.batches import batched
from retriton_pipeline.documents import display_name, location
from retriton_pipeline.ingest.remote import is_url, normal_url, parent_urls
from retriton_pipeline.store import Store, StoredDocument

IDS_PER_CALL = 512


@dataclass
class Seen:
    """What a run has seen.

    Attributes:
        ids: ids of its documents.
        kept_files: locations of files and folders that exist but could not be read.
    """

    ids: set[str] = field(default_factory=set)
    kept_files: set[str] = field(default_factory=set)

    def add(self, other: Seen) -> None:
        """Adds what another part of the same run has seen."""
        self.ids |= other.ids
        self.kept_files |= other.kept_files

    def lacks(self, document: StoredDocument) -> bool:
        """Whether the run has seen neither the document nor that its file cannot be read."""
        return document.id not in self.ids and self.kept_files.isdisjoint(_file_and_parents(document))


def prune(
    store: Store | None,
    seen: Seen,
    roots: Iterable[Path | str],
    dry_run: bool = False,
    owns: Callable[[str], bool] = lambda file: True,
) -> int:
    """Deletes documents of files below ``roots`` that no longer exist, and returns their number.

    Documents of files and folders that exist but could not be read are kept.

    Args:
        store: opened store; None for a dry run without a collection.
        seen: of the finished run.
        roots: files, folders and URLs that were ingested.
        dry_run: count, and delete nothing.
        owns: whether the file at a location belongs to the run; those of other shards do not.
    """
    folders = {_root(root) for root in roots}

    def is_candidate(document: StoredDocument) -> bool:
        return owns(document.file) and not _file_and_parents(document).isdisjoint(folders)

    return _remove(store, seen, is_candidate, dry_run)


def remove_unseen(store: Store | None, seen: Seen, dry_run: bool = False) -> None:
    """Deletes all documents that the run did not see, except those of unreadable files."""
    _remove(store, seen, lambda document: True, dry_run)


def _remove(store: Store | None, seen: Seen, is_candidate: Callable[[StoredDocument], bool], dry_run: bool) -> int:
    if store is None:
        return 0
    gone = (document for document in store.documents() if is_candidate(document) and seen.lacks(document))
    count = 0
    for documents in batched(gone, IDS_PER_CALL):  # the pages of documents follow the primary key, not a position
        if not dry_run:
            store.delete(documents)
        count += len(documents)
    return count


def _root(path: Path | str) -> str:
    if isinstance(path, str) and is_url(path):
        return normal_url(path)
    path = Path(path)
    return display_name(Path(os.path.realpath(path))) if path.is_dir() else location(path)


def _file_and_parents(document: StoredDocument) -> set[str]:
    """The document's file and all its parent folders."""
    if is_url(document.file):
        return {document.file, *parent_urls(document.file)}
    return {document.file, *map(str, PurePath(document.file).parents)}
