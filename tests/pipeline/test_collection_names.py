"""Names of collections: reserved and invalid ones are refused in every way in, and damaged files work again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from retriton.commands import COMMANDS
from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.cli.main import run
from retriton_pipeline.errors import InvalidOption, StoreError
from retriton_pipeline.gateway.schemas.common import CollectionName
from retriton_pipeline.rag import Rag
from retriton_pipeline.store import Store, StoredDocument, collection_names
from retriton_pipeline.store.collection import create_collection
from retriton_pipeline.store.names import check_name

ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", "{}")
DOCUMENT = StoredDocument("id", "a.md", "A", "c")
VECTORS = np.eye(4, dtype=np.float32)
RESERVED = [
    *("retriton_names", "RETRITON_NAMES", "Retriton_Names", "retriton_names_2", "retriton_names_v2"),
    *("collection_meta", "Collection_Meta", "bm25_stats", "token_doc_count", "sqlite_master", "SQLite_x"),
]
INVALID = [
    "",
    "a-b",
    "a b",
    "a.",
    "1a",
    "a\n",
    "a\0",
    "a" * 101,
    "é",
    "ａ",
    "dоcuments",
    "docu\u200bments",
    "a/b",
    "..",
    "$a",
]


@pytest.mark.parametrize("name", [*RESERVED, *INVALID], ids=repr)
def test_reserved_and_invalid_names_are_refused_everywhere(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "milvus.db"
    with pytest.raises(InvalidOption, match="collection name"):
        Store(str(file), name)
    with pytest.raises(ValidationError):
        TypeAdapter(CollectionName).validate_python(name)
    with pytest.raises(InvalidOption, match="collection name"), Rag(milvus=file, collection=name) as rag:
        rag.retrieve("?")
    assert run(COMMANDS["search"], ["x", "--milvus", str(file), "--collection", name]) == 1
    assert "collection name" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(
    "name", ["documents", "_", "a" * 100, "retriton", "Names2", "metadata", "documents_v1", "default"]
)
def test_other_names_are_accepted(name: str) -> None:
    assert check_name(name) == TypeAdapter(CollectionName).validate_python(name) == name


def fill(store: Store) -> None:
    store.open(ENCODER, create=True)
    store.upsert([(DOCUMENT, Chunk("text", "", None, 0))], VECTORS[:1])


@pytest.mark.milvus
def test_a_file_with_documents_under_the_reserved_name_works_again(store: Store) -> None:
    create_collection(store.milvus, "retriton_names", ENCODER, "", "retriton_names")  # as earlier versions did
    fill(store)
    store.rebuild(ENCODER)
    store.upsert([(DOCUMENT, Chunk("new text", "", None, 0))], VECTORS[:1])
    store.publish()
    other = Store(store.uri, "documents")
    other.open(ENCODER)
    hits = other.search(VECTORS[:1], 9, with_chunks=True)[0]
    assert [hit.chunk.text for hit in hits if hit.chunk] == ["new text"]
    other.close()
    assert collection_names(store.uri) == ["documents"]


@pytest.mark.milvus
def test_names_that_differ_only_in_case_are_refused_in_a_file(store: Store) -> None:
    fill(store)
    other = Store(store.uri, "Documents")
    with pytest.raises(StoreError, match="'documents', whose name differs from 'Documents' only in case"):
        other.open(ENCODER, create=True)
    other.close()
    assert store.count() == 1


@pytest.mark.milvus
def test_a_version_is_no_collection(store: Store) -> None:
    fill(store)
    store.rebuild(ENCODER)
    store.publish()
    version = Store(store.uri, "documents_v2")
    with pytest.raises(InvalidOption, match="'documents_v2' is a version of the collection 'documents'"):
        version.open(ENCODER, create=True)
    version.close()
