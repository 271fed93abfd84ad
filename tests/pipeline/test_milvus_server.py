"""The store against a real Milvus server over TCP. It is of version 2.3, so it has no keyword index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import EncoderMismatch, NoBm25Index, StoreError
from retriton_pipeline.store import Store, StoredDocument
from tests.milvus_server import milvus_server

pytestmark = pytest.mark.milvus
ENCODER = EncoderInfo("tiny", "f1", 8, 128, True, {}, "fp32", "{}")
DOCUMENTS = [
    StoredDocument(f"id{n}", f"{n}.md", "T", "c", f"/docs/{n}.md", {"year": 2000 + n, "kind": "note"}) for n in range(9)
]
VECTORS = np.random.default_rng(0).normal(size=(9, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture
def server_store(uri: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    store = Store(uri, request.node.name.split("[")[0], consistency="Strong")
    yield store
    store.close()


def fill(store: Store) -> None:
    store.upsert([(document, Chunk(f"text {n}", "ctx", 1, 0)) for n, document in enumerate(DOCUMENTS)], VECTORS)


@pytest.mark.parametrize("index", ["hnsw", "ivf_flat", "flat", "auto"])
def test_every_index_finds_the_nearest_and_filters(uri: str, index: str) -> None:
    store = Store(uri, f"index_{index}", consistency="Strong")
    store.open(ENCODER, create=True, index=index)
    fill(store)
    (hits,) = store.search(VECTORS[3:4], 3)
    ids = [hit.id for hit in hits]
    chunks = store.chunks(ids)
    expected = np.argsort(-(VECTORS @ VECTORS[3]))[:3]
    assert [chunks[key].source for key in ids] == [f"{n}.md" for n in expected]
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)
    assert dict(chunks[ids[0]].metadata) == {"year": 2003, "kind": "note"}
    (with_chunks,) = store.search(VECTORS[3:4], 3, with_chunks=True)
    assert [(hit.id, hit.score, hit.chunk) for hit in with_chunks] == [
        (hit.id, hit.score, chunks[hit.id]) for hit in hits
    ]
    (filtered,) = store.search(VECTORS[3:4], 9, 'metadata["year"] > 2005', with_chunks=True)
    assert {hit.chunk.source for hit in filtered if hit.chunk} == {"6.md", "7.md", "8.md"}
    assert np.allclose(store.vectors(ids[:2]), VECTORS[expected[:2]])
    assert store.chunks(["absent"]) == store.chunks([]) == {}
    store.remove()
    store.close()


def test_documents_are_counted_replaced_listed_and_deleted(server_store: Store) -> None:
    server_store.open(ENCODER, create=True)
    fill(server_store)
    fill(server_store)
    assert server_store.count() == 9
    new = replace(DOCUMENTS[0], content_hash="new")
    server_store.upsert([(new, Chunk("new text", "", None, 0))], VECTORS[:1])
    assert server_store.content_hashes(["id0", "id1"]) == {"id0": {"c", "new"}, "id1": {"c"}}
    server_store.delete_other_contents([new])
    assert server_store.content_hashes(["id0"]) == {"id0": {"new"}}
    assert {document.file for document in server_store.documents()} == {f"/docs/{n}.md" for n in range(9)}
    server_store.delete(DOCUMENTS[5:])
    assert server_store.count() == 5


def test_without_a_bm25_index_only_vectors_are_searched(server_store: Store) -> None:
    server_store.open(ENCODER, create=True)
    assert not server_store.has_bm25
    with pytest.raises(NoBm25Index, match="before 2.5.*mode dense"):
        server_store.search_bm25(["text"], 3)


def test_a_new_version_takes_over_without_a_gap(server_store: Store, uri: str) -> None:
    server_store.open(ENCODER, create=True)
    fill(server_store)
    newer = replace(ENCODER, fingerprint="f2", name="newer")
    with pytest.raises(EncoderMismatch, match="--rebuild"):
        server_store.open(newer)
    building = Store(uri, server_store.collection, consistency="Strong")
    building.rebuild(newer)
    building.upsert([(DOCUMENTS[1], Chunk("again", "", None, 0))], VECTORS[1:2])
    reader = Store(uri, server_store.collection, consistency="Strong")
    reader.open(ENCODER)  # the present version is searched meanwhile
    assert len(reader.search(VECTORS[:1], 9)[0]) == 9
    building.publish()
    reader.open(newer)
    assert [chunk.text for chunk in reader.chunks([hit.id for hit in reader.search(VECTORS[:1], 9)[0]]).values()] == [
        "again"
    ]
    names = building.milvus.call("list_collections")
    assert [name for name in names if name.startswith(server_store.collection)] == [f"{server_store.collection}_v2"]
    building.remove()
    reader.close()
    building.close()


def test_a_collection_that_another_process_made_anew_is_noticed(server_store: Store, uri: str) -> None:
    server_store.open(ENCODER, create=True)
    assert server_store.is_current
    other = Store(uri, server_store.collection)
    other.open(ENCODER)
    other.remove()
    assert not server_store.is_current
    other.open(ENCODER, create=True)
    assert not server_store.is_current
    server_store.open(ENCODER)
    assert server_store.is_current
    other.close()


def test_an_interrupted_rebuild_is_continued(server_store: Store) -> None:
    server_store.open(ENCODER, create=True)
    newer = replace(ENCODER, fingerprint="f2")
    server_store.rebuild(newer)
    fill(server_store)
    server_store.rebuild(newer)
    assert server_store.count() == 9
    server_store.rebuild(replace(ENCODER, fingerprint="f3"))  # of yet another encoder: begun anew
    assert server_store.count() == 0


def test_an_index_that_the_server_cannot_build_is_named(server_store: Store) -> None:
    with pytest.raises(StoreError, match="there is no index profile 'b-tree', only flat, ivf_flat, hnsw"):
        server_store.open(ENCODER, create=True, index="b-tree")
