"""Files at URLs: listed, named and copied with fsspec. `memory://` is a file system of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest import IngestOptions, Shard, as_source
from retriton_pipeline.ingest.file_batches import file_batches
from retriton_pipeline.ingest.pruning import Seen, prune
from retriton_pipeline.ingest.remote import find_remote, local_copies, normal_url, parent_urls
from retriton_pipeline.ingest.sources import find_sources
from retriton_pipeline.store import StoredDocument

NAMES = ["a.txt", "b/c.md", "b/d e?#.txt", ".hidden", ".folder/x.txt"]


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    for name in NAMES:
        system.pipe(f"/corpus/{name}", name.encode())
    yield system
    system.rm("/corpus", recursive=True)


def test_files_below_a_url_are_found_without_hidden_ones(memory: fsspec.AbstractFileSystem) -> None:
    found = find_remote("memory://corpus/")
    assert [file.url for file in found] == [f"memory://corpus/{name}" for name in NAMES[:3]]
    assert [file.size_bytes for file in found] == [5, 6, 11]
    (single,) = find_remote("memory://corpus/b/c.md")
    assert single.url == found[1].url


def test_copies_have_the_content_and_the_url(memory: fsspec.AbstractFileSystem) -> None:
    with local_copies(find_remote("memory://corpus")) as copies:
        assert [file.path.read_text() for file in copies.files] == NAMES[:3]
        assert [file.path.name for file in copies.files] == ["a.txt", "c.md", "d e?#.txt"]
        assert copies.files[0].url == "memory://corpus/a.txt"
        places = [file.path for file in copies.files]
    assert not any(place.exists() for place in places)


def test_a_file_that_cannot_be_copied_is_named_and_the_others_are_copied(
    memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retriton_pipeline.ingest.remote._PAUSE_S", 0.0)
    files = find_remote("memory://corpus")
    memory.rm("/corpus/a.txt")
    with local_copies(files) as copies:
        assert [file.url for file in copies.files] == [file.url for file in files[1:]]
    (skipped,) = copies.skipped
    assert skipped.source == files[0].url
    assert skipped.reason.startswith("it cannot be copied: FileNotFoundError")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("memory://nowhere", "memory://nowhere does not exist"),
        ("gopher2://host/x", "gopher2://host/x cannot be opened: ValueError: Protocol not known"),
        ("zip://x::file:///nowhere.zip", "cannot be opened: FileNotFoundError"),
    ],
)
def test_urls_that_cannot_be_read(url: str, reason: str) -> None:
    with pytest.raises(PipelineError, match=reason.split(":", maxsplit=1)[-1]):
        find_remote(url)


def test_passwords_are_not_part_of_names() -> None:
    assert normal_url("ftp://user:pass@host/a/") == "ftp://host/a"
    assert normal_url("zip://a::ftp://user:pass@host/x.zip") == "zip://a::ftp://host/x.zip"
    assert normal_url("s3://bucket/a\x1b[31m") == "s3://bucket/a\\x1b[31m"


def test_parents_of_urls() -> None:
    assert list(parent_urls("s3://bucket/a/b.txt")) == ["s3://bucket/a", "s3://bucket", "s3://"]
    assert next(parent_urls("zip://a/b.txt::file:///x.zip")) == "zip://a::file:///x.zip"


def test_file_urls_are_paths_so_that_links_are_checked() -> None:
    assert as_source("file:///data/a.txt") == Path("/data/a.txt")
    assert as_source("data/a.txt") == Path("data/a.txt")
    assert as_source("s3://bucket/a") == "s3://bucket/a"


def test_shards_part_local_and_remote_files(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.txt").touch()
    roots = [tmp_path, "memory://corpus"]
    everything = find_sources(roots, IngestOptions())
    shards = [find_sources(roots, IngestOptions(shard=Shard(index, 3))) for index in range(3)]
    assert sorted(map(str, everything)) == sorted(str(source) for shard in shards for source in shard)
    assert all(len(shard) > 5 for shard in shards)


def test_a_folder_without_files_is_not_pruned(memory: fsspec.AbstractFileSystem) -> None:
    memory.mkdir("/corpus/empty")
    with pytest.raises(PipelineError, match="memory://corpus/empty contains no files: prune would delete"):
        find_sources(["memory://corpus/empty"], IngestOptions(prune=True))


class Documents:
    """A store with these documents."""

    def __init__(self, *files: str) -> None:
        self.stored = [StoredDocument(file, file, "", "", file) for file in files]

    def documents(self) -> list[StoredDocument]:
        return list(self.stored)

    def delete(self, documents: list[StoredDocument]) -> None:
        self.stored = [document for document in self.stored if document not in documents]


def test_pruning_a_url_deletes_what_is_gone_below_it_and_belongs_to_the_shard() -> None:
    gone = [f"s3://bucket/a/{number}.txt" for number in range(20)]
    others = ["s3://bucket/ab/1.txt", "s3://bucket/a/kept.txt", "s3://bucket/a/unreadable.pdf", "/local/a.txt"]
    store = Documents(*gone, *others)
    seen = Seen({"s3://bucket/a/kept.txt"}, {"s3://bucket/a/unreadable.pdf"})
    shard = Shard(0, 2)
    mine = [file for file in gone if shard.owns(file)]
    assert prune(store, seen, ["s3://bucket/a/"], True, shard.owns) == len(mine)  # type: ignore[arg-type]
    assert len(store.stored) == 24
    assert prune(store, seen, ["s3://bucket/a/"], owns=shard.owns) == len(mine)  # type: ignore[arg-type]
    assert prune(store, seen, ["s3://bucket/a/"]) == 20 - len(mine)  # type: ignore[arg-type]
    assert [document.file for document in store.stored] == others


def test_batches_are_bounded_by_files_and_bytes(tmp_path: Path) -> None:
    for number, size in enumerate([1, 1, 1, 5_000_000, 5_000_000, 9_000_000, 1]):
        with (tmp_path / f"{number}.txt").open("wb") as file:
            file.truncate(size)
    batches = list(file_batches(find_sources([tmp_path], IngestOptions()), files_max=2))
    assert [len(batch) for batch in batches] == [2, 2, 1, 1, 1]
