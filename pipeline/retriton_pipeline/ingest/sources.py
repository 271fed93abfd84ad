"""What a run ingests: local and remote files, those of its shard alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from retriton_pipeline.documents import SourceFile, display_name, find_files, location, size_of
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest.options import IngestOptions
from retriton_pipeline.ingest.remote import RemoteFile, find_remote, is_url, normal_url

Source = SourceFile | RemoteFile
_LOCAL = "file://"


def as_source(path: str | os.PathLike[str]) -> Path | str:
    """A URL as it is, anything else as a path, even a ``file://`` URL: links are then checked as those of paths."""
    if isinstance(path, str) and path.startswith(_LOCAL):
        return Path(path.removeprefix(_LOCAL))
    return path if isinstance(path, str) and is_url(path) else Path(path)


def find_sources(paths: Sequence[Path | str], options: IngestOptions) -> list[Source]:
    """The files at ``paths`` that belong to the shard of this run, each once.

    Raises:
        PipelineError: a path does not exist or cannot be listed, or is a folder without files in a run that prunes or
            rebuilds.
    """
    local, urls = [path for path in paths if isinstance(path, Path)], [path for path in paths if isinstance(path, str)]
    files = list(find_files(local, options.follow_links))
    remote = {url: find_remote(url) for url in urls}
    if options.prune or options.rebuild:
        option = "prune" if options.prune else "rebuild"
        _check_not_empty(local, files, option)
        for url, found in remote.items():
            _check(bool(found), normal_url(url), option)
    by_url = {file.url: file for found in remote.values() for file in found}
    sources: list[Source] = [*files, *by_url.values()]
    shard = options.shard
    return sources if shard.count == 1 else [source for source in sources if shard.owns(location_of(source))]


def location_of(source: Source) -> str:
    """The location of a file, as its documents store it."""
    return source.url if isinstance(source, RemoteFile) else location(source.path)


def size_of_source(source: Source) -> int:
    """The size of a file in bytes; 0 if it cannot be determined."""
    return source.size_bytes if isinstance(source, RemoteFile) else size_of(source.path)


def _check_not_empty(paths: Iterable[Path], files: Sequence[SourceFile], option: str) -> None:
    real = [Path(os.path.realpath(file.path.parent)) for file in files]
    for path in paths:
        if path.is_dir():
            root = os.path.realpath(path)
            _check(any(parent.is_relative_to(root) for parent in real), display_name(path), option)


def _check(has_files: bool, name: str, option: str) -> None:
    """Refuses empty folders: usually they are not mounted, and pruning them would delete all their documents."""
    if not has_files:
        raise PipelineError(f"{name} contains no files: {option} would delete all documents stored from it")
