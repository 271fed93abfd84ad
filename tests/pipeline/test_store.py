from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymilvus import DataType

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import EncoderMismatch, NoSuchCollection, StoreError
from retriton_pipeline.store import Store, StoredDocument

pytestmark = pytest.mark.milvus
ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", "{}")
OLD = StoredDocument("id1", 'it\'s "a" \\ é.md', "A", "old")
NEW = replace(OLD, content_hash="new")
OTHER = StoredDocument("id2", "other.md", "B", "old")
AXES = np.eye(4, dtype=np.float32)


def rows(document: StoredDocument, count: int) -> list[tuple[StoredDocument, Chunk]]:
    return [(document, Chunk(f"{document.content_hash} {n}", "ctx", n or None, n)) for n in range(count)]


@pytest.fixture
def filled(store: Store) -> Store:
    store.open(ENCODER, create=True)
    store.upsert(rows(OLD, 3), AXES[:3])
    store.upsert(rows(OTHER, 1), AXES[3:])
    return store


def test_search_returns_keys_and_scores_best_first(filled: Store) -> None:
    (hits,) = filled.search(np.array([[0.1, 0.2, 0.9, 0.0]], np.float32), top_k=2)
    assert hits[0].score == pytest.approx(0.9)
    chunks = filled.chunks([hit.id for hit in hits])
    assert [(chunks[hit.id].chunk_index, hit.chunk) for hit in hits] == [(2, None), (1, None)]


@pytest.mark.parametrize("stage", ["dense", "bm25"])
def test_a_search_can_return_its_chunks(filled: Store, stage: str) -> None:
    if stage == "dense":
        (hits,) = filled.search(np.array([[0.1, 0.2, 0.9, 0.0]], np.float32), 2, with_chunks=True)
    else:
        (hits,) = filled.search_bm25(["old 2"], 2, with_chunks=True)
    chunks = filled.chunks([hit.id for hit in hits])
    assert [hit.chunk for hit in hits] == [chunks[hit.id] for hit in hits]
    best = chunks[hits[0].id]
    assert (best.id, best.source, best.page, best.text) == (hits[0].id, OLD.source, 2, "old 2")


def test_neighbours_have_computable_keys(filled: Store) -> None:
    (hits,) = filled.search(AXES[1:2], 1, with_chunks=True)
    assert hits[0].chunk
    found = filled.chunks(hits[0].chunk.neighbour_ids(2))
    assert [chunk.text for chunk in sorted(found.values(), key=lambda chunk: chunk.chunk_index)] == ["old 0", "old 2"]


def test_the_same_again_adds_nothing(filled: Store) -> None:
    filled.upsert(rows(OLD, 3), AXES[:3])
    assert filled.count() == 4


def test_a_document_is_complete_with_its_first_chunk(filled: Store) -> None:
    filled.upsert(rows(NEW, 3)[1:], AXES[1:3])
    assert filled.content_hashes([OLD.id, OTHER.id]) == {OLD.id: {"old"}, OTHER.id: {"old"}}
    filled.upsert(rows(NEW, 3)[:1], AXES[:1])
    assert filled.content_hashes([OLD.id]) == {OLD.id: {"old", "new"}}


def test_other_contents_are_deleted_and_other_documents_are_not(filled: Store) -> None:
    filled.upsert(rows(NEW, 2), AXES[:2])
    filled.delete_other_contents([NEW])
    assert filled.content_hashes([NEW.id, OTHER.id]) == {NEW.id: {"new"}, OTHER.id: {"old"}}
    assert filled.count() == 3


def test_another_encoder_is_refused_and_both_are_named(filled: Store) -> None:
    with pytest.raises(EncoderMismatch, match=r"made with tiny \(f1\), the server has big \(f2\)"):
        filled.open(replace(ENCODER, name="big", fingerprint="f2"))


def test_a_missing_collection_is_named_with_those_that_exist(filled: Store) -> None:
    missing = Store(filled.uri, "nothing")
    with pytest.raises(NoSuchCollection, match="no collection 'nothing' .it has: documents.*retriton ingest"):
        missing.open(ENCODER)


def test_what_is_written_survives_the_process(tmp_path: Path) -> None:
    file = str(tmp_path / "milvus.db")
    program = (
        "import os, sys; sys.path.insert(0, '.'); from tests.pipeline.test_store import *\n"
        f"store = Store({file!r}, 'documents'); store.open(ENCODER, create=True)\n"
        "store.upsert(rows(OLD, 3), AXES[:3]); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    store = Store(file, "documents")
    store.open(ENCODER)
    assert store.count() == 3
    store.close()


def test_a_server_that_is_not_there_is_named_at_once() -> None:
    with pytest.raises(StoreError, match=r"http://127.0.0.1:9.*Is Milvus running"):
        Store("http://127.0.0.1:9", "documents")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.db"
    file.write_text("this is not a database")
    with pytest.raises(StoreError, match=r"broken.db"):
        Store(str(file), "documents").open(ENCODER, create=True)


@pytest.mark.parametrize("description", ["my notes", "3", "[]", ""])
def test_a_collection_of_another_program_is_refused(store: Store, description: str) -> None:
    milvus = store.milvus.client
    schema = milvus.create_schema(description=description)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=8)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    milvus.create_collection("documents", schema=schema)
    with pytest.raises(EncoderMismatch, match="made with another program"):
        store.open(ENCODER)


@pytest.mark.parametrize(("uri", "hint"), [("notes", "ends in .db"), ("http://127.0.0.1:x", "cannot open")])
def test_a_wrong_address_is_named(uri: str, hint: str) -> None:
    with pytest.raises(StoreError, match=hint):
        Store(uri, "documents")


def test_what_does_not_fit_a_field_is_cut(store: Store) -> None:
    store.open(ENCODER, create=True)
    document = StoredDocument("id", "name\udcff.md", "é" * 70_000, "c")
    store.upsert([(document, Chunk("nul\0 and \ud800", "", None, 0))], AXES[:1])
    ((_, _, hit),) = store.search(AXES[:1], 1, with_chunks=True)[0]
    assert hit
    assert (hit.source, hit.text, len(hit.title.encode())) == ("name?.md", "nul and ?", 65534)


def test_settings_belong_to_a_name_and_an_encoder(store: Store) -> None:
    store.open(ENCODER, create=True)
    store.upsert(rows(OLD, 3), AXES[:3])
    values = {"dense_weight": 0.4, "queries": 30}
    store.keep_search_settings(values)
    store.rebuild(ENCODER)
    store.upsert(rows(OLD, 3), AXES[:3])
    store.publish()
    store.open(ENCODER)
    assert store.search_settings == values  # a rebuild keeps them
    store.rebuild(other := replace(ENCODER, fingerprint="f2"))
    store.publish()
    store.open(other)
    assert store.search_settings is None


def test_collections_without_analysed_terms_are_searched_as_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("retriton_pipeline.store.collection.ANALYSIS", 0)
        earlier.setattr("retriton_pipeline.store.rows._ANALYZER", {"type": "standard"})
        store.open(ENCODER, create=True)
        store.upsert([(OLD, Chunk("Das Büro, C++", "", None, 0))], AXES[:1])
    store.open(ENCODER)
    store.upsert([(OTHER, Chunk("Ein Büro", "", None, 0))], AXES[1:2])
    assert [len(hits) for hits in store.search_bm25(["Büro", "buro", "C"], 5)] == [2, 0, 1]
    store.rebuild(ENCODER)
    store.upsert([(OLD, Chunk("Das Büro, C++", "", None, 0))], AXES[:1])
    store.publish()
    assert [len(hits) for hits in store.search_bm25(["Büro", "buro", "C"], 5)] == [1, 1, 0]


def test_terms_of_a_later_version_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr("retriton_pipeline.store.collection.ANALYSIS", 99)
        store.open(ENCODER, create=True)
    with pytest.raises(StoreError, match=r"version 99, this one has \d+\)\. Rebuild it"):
        store.open(ENCODER)


def test_the_spread_is_measured_from_enough_chunks(store: Store) -> None:
    store.open(ENCODER, create=True)
    store.upsert(rows(OLD, 3), AXES[:3])
    store.search(AXES[:1], 1)
    assert store.spread is None
    store.upsert(rows(OTHER, 40), np.tile(AXES, (10, 1)))
    store.search(AXES[:1], 1)
    assert store.spread == pytest.approx(0.77, abs=0.02)  # a quarter of the pairs are equal
