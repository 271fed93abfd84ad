"""The steps of a switch, each of which may be the last one of a process that is killed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import CollectionFrozen, PipelineError, StoreError
from retriton_pipeline.store import Store, StoredDocument
from retriton_pipeline.store.switching import VersionChunks, VersionSwitch
from retriton_pipeline.switching import roll_back

pytestmark = pytest.mark.milvus
OLD = EncoderInfo("old", "0a" * 8, 4, 128, True, {}, "fp32", "{}")
NEW = replace(OLD, name="new", fingerprint="0b" * 8)
OTHER = replace(OLD, name="other", fingerprint="0c" * 8)
DOCUMENTS = [StoredDocument(f"id{n}", f"{n}.md", "T", "c", f"/{n}.md", {"year": n}) for n in range(4)]
AXES = np.eye(4, dtype=np.float32)


def write(store: Store, *numbers: int) -> None:
    chunks = [(DOCUMENTS[n], Chunk(f"text {n}", "ctx", n or None, 0)) for n in numbers]
    store.upsert(chunks, AXES[list(numbers)])


@pytest.fixture
def filled(store: Store) -> Store:
    store.open(OLD, create=True)
    write(store, 0, 1, 2)
    return store


def copy_all(source: VersionChunks, target: VersionChunks) -> None:
    for page in source.ids():
        rows = source.fetch(page)
        target.write(rows, AXES[::-1][: len(rows)], normalized=True)


def switched(store: Store, encoder: EncoderInfo = NEW) -> VersionSwitch:
    steps = VersionSwitch(store)
    current, target = steps.current(), steps.begin(encoder)
    copy_all(current, target)
    steps.freeze(current.version)
    steps.publish(target.version, current.version)
    return steps


def test_chunks_are_copied_with_all_their_fields(filled: Store) -> None:
    before = filled.chunks([row["id"] for page in VersionSwitch(filled).current().ids() for row in page])
    steps = switched(filled)
    reader = Store(filled.uri, filled.collection)
    reader.open(NEW)
    assert reader.chunks(list(before)) == before
    assert [hit.id for hit in reader.search_bm25(["text 2"], 1)[0]] == [
        key for key, chunk in before.items() if chunk.source == "2.md"
    ]
    assert reader.content_hashes([document.id for document in DOCUMENTS]) == {f"id{n}": {"c"} for n in range(3)}
    assert (steps.current().count(), former := steps.former()) == (3, former)
    assert former
    assert former.version == "documents"
    reader.close()


def test_a_version_is_named_after_its_encoder_and_never_renamed(filled: Store) -> None:
    steps = switched(filled)
    assert steps.current().version == "documents_v2_0b0b0b0b"
    switched(filled, OTHER)
    assert steps.current().version == "documents_v3_0c0c0c0c"
    assert filled.milvus.has("documents_v2_0b0b0b0b")
    assert not filled.milvus.has("documents")  # only the last version is kept
    filled.rebuild(NEW)
    write(filled, 0)
    filled.publish()
    assert filled.current() == ("documents_v4", NEW.fingerprint)
    assert [name for name in filled.milvus.call("list_collections") if name.startswith("documents")] == ["documents_v4"]


def test_a_write_after_the_freeze_is_refused_and_one_before_it_is_copied(filled: Store) -> None:
    steps = VersionSwitch(filled)
    current, target = steps.current(), steps.begin(NEW)
    write(filled, 3)
    steps.freeze(current.version)
    with pytest.raises(CollectionFrozen, match="retriton switch"):
        write(filled, 0)
    with pytest.raises(CollectionFrozen):
        filled.delete(DOCUMENTS[:1])
    copy_all(current, target)
    steps.publish(target.version, current.version)
    with pytest.raises(CollectionFrozen):
        write(filled, 0)  # it still has the former version open
    filled.open(NEW)
    write(filled, 0)
    assert filled.count() == 4


def test_a_killed_switch_is_continued_or_discarded(filled: Store) -> None:
    steps = VersionSwitch(filled)
    target = steps.begin(NEW)
    steps.freeze("documents")
    assert steps.begin(NEW).version == target.version
    write(filled, 3)  # the current version takes writes again
    steps.freeze("documents")
    assert "unfinished switch was discarded" in roll_back(steps)
    assert not filled.milvus.has(target.version)
    write(filled, 3)
    with pytest.raises(PipelineError, match="no former version"):
        roll_back(steps)


def test_a_switch_that_another_one_overtook_is_refused(filled: Store) -> None:
    steps = VersionSwitch(filled)
    current, target = steps.current(), steps.begin(NEW)
    with pytest.raises(StoreError, match="another process at the same time"):
        steps.publish(target.version, current.version)


def test_the_former_version_returns_unless_it_lacks_something(filled: Store) -> None:
    steps = switched(filled)
    assert "searches use documents (old)" in roll_back(steps)
    assert "searches use documents_v2_0b0b0b0b (new)" in roll_back(steps)  # and again
    filled.open(NEW)
    write(filled, 3)
    filled.delete(DOCUMENTS[:1])
    with pytest.raises(PipelineError, match=r"\(2\): .*lacks 1 chunks.*has 1 that were deleted"):
        roll_back(steps)
    write(filled, 2)  # still takes writes
    roll_back(steps, force=True)
    filled.open(OLD)
    assert filled.content_hashes(["id0", "id3"]) == {"id0": {"c"}}
    write(filled, 3)
    assert steps.finish() == ["documents_v2_0b0b0b0b"]


def test_a_dropped_collection_leaves_nothing(filled: Store) -> None:
    switched(filled)
    filled.drop()
    assert not [name for name in filled.milvus.call("list_collections") if name.startswith("documents")]
    filled.open(OLD, create=True)
    write(filled, 0)
