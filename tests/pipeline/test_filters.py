"""Filters: what is refused, what Milvus gets, and that it survives whatever is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import InvalidFilter
from retriton_pipeline.store import Store, StoredDocument
from retriton_pipeline.store.filters import canonical
from retriton_pipeline.store.filters.rendering import render
from retriton_pipeline.store.filters.tree import (
    CONTAINS,
    INTEGERS,
    STRINGS,
    Comparison,
    Contains,
    Field,
    Junction,
    Like,
    Membership,
    Node,
)
from tests.hostile.filters import ACCEPTED_FILTERS, HOSTILE_FILTERS

ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", "{}")
VECTORS = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize("filter_", HOSTILE_FILTERS.values(), ids=HOSTILE_FILTERS)
@pytest.mark.parametrize("is_lite", [True, False])
def test_hostile_filters_are_refused(filter_: str, is_lite: bool) -> None:
    with pytest.raises(InvalidFilter, match="filter"):
        canonical(filter_, is_lite)


@pytest.mark.parametrize(("filter_", "sent"), ACCEPTED_FILTERS.items(), ids=ACCEPTED_FILTERS)
def test_filters_are_sent_in_canonical_form(filter_: str, sent: str) -> None:
    assert canonical(filter_, is_lite=True) == sent


@pytest.mark.parametrize(
    ("filter_", "position", "expected"),
    [
        ("page/0==1", 5, "no arithmetic"),
        ("page == 1 and (title = 2)", 22, "an operator"),
        ('source == "a', 11, "closing quote"),
        ("(page == 1", 11, r"\)"),
        ('page in [1, "a"]', 9, "one type"),
        ("pages == 1", 1, "page, chunk_index, source"),
        ("page == 99999999999999999999", 9, "64 bits"),
    ],
)
def test_the_error_names_position_expectation_and_an_example(filter_: str, position: int, expected: str) -> None:
    with pytest.raises(InvalidFilter, match=f"character {position}: .*expected .*{expected}.*[Ee]xample.*page >= 2"):
        canonical(filter_, is_lite=True)


def test_an_error_does_not_repeat_a_long_filter() -> None:
    with pytest.raises(InvalidFilter) as caught:
        canonical("x" * 4000, is_lite=True)
    assert len(str(caught.value)) < 400


def test_a_server_gets_not_and_exists_and_milvus_lite_what_it_knows() -> None:
    assert canonical('not (source like "a%")', is_lite=False) == '(not (source like "a%"))'
    assert canonical('not exists metadata["year"]', is_lite=False) == '(not (exists metadata["year"]))'
    for filter_ in (
        'not (source like "a%")',
        'exists metadata["year"]',
        'not metadata["year"] > 1',
        r'source like "a\\%"',
    ):
        with pytest.raises(InvalidFilter, match="Milvus Lite"):
            canonical(filter_, is_lite=True)


def test_many_conditions_make_a_balanced_tree() -> None:
    sent = canonical(" or ".join(f"page == {n}" for n in range(64)), is_lite=True)
    depth = deepest = 0
    for character in sent:
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    assert deepest == 6
    assert re.findall(r"\d+", sent) == [str(n) for n in range(64)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(str(tmp_path_factory.mktemp("filters") / "milvus.db"), "documents")
    store.open(ENCODER, create=True)
    metadata = [{"year": 2020, "tags": ["a", "b"], "o": {"p": [1]}}, {"year": "2020"}, {}, {"year": 2021.5, "b": True}]
    for number, values in enumerate(metadata):
        document = StoredDocument(f"id{number}", f"{'é' * number}{number}\\'\".md", "a" * 60_000, "h", metadata=values)
        store.upsert([(document, Chunk(f"text {number}", "c", number or None, 0))], VECTORS[number : number + 1])
    yield store
    store.close()


def sources(store: Store, filter_: str) -> set[str]:
    hits = store.search(VECTORS[:1], 9, filter_, with_chunks=True)[0]
    return {hit.chunk.document_id for hit in hits if hit.chunk}


@pytest.mark.milvus
@pytest.mark.parametrize(
    ("filter_", "ids"),
    [
        ("not (page == 1)", {"id0", "id2", "id3"}),
        ("1 <= page < 3", {"id1", "id2"}),
        ("page == 1 OR page == 2", {"id1", "id2"}),
        ("2 == array_length(metadata['tags'])", {"id0"}),
        ('metadata["year"] in [2020, 2021.5]', {"id0", "id3"}),
        ('json_contains(metadata["tags"], "b")', {"id0"}),
        (r'source == "\u00e91\\\'\".md"', {"id1"}),
        ('source like "é%.md" and not chunk_index != 0', {"id1", "id2", "id3"}),
        (" or ".join(f"page == {n}" for n in range(1, 65)), {"id1", "id2", "id3"}),
    ],
)
def test_what_filters_select(filled: Store, filter_: str, ids: set[str]) -> None:
    assert sources(filled, filter_) == ids


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40)
PATTERN = st.builds("{}{}%".format, st.sampled_from(["", "%"]), st.text("a_.*+?()[]{}|^$é", min_size=1, max_size=16))
INTEGER = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.one_of(INTEGER, st.floats(allow_nan=False, allow_infinity=False))
KEYS = st.lists(st.one_of(TEXT.filter(bool), st.integers(0, 2**31 - 1)), min_size=1, max_size=8).map(tuple)
METADATA = st.builds(Field, st.just("metadata"), KEYS)
STRING_FIELD = st.sampled_from(STRINGS).map(Field)
INTEGER_FIELD = st.sampled_from(INTEGERS).map(Field)
ORDER = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
CONDITION: st.SearchStrategy[Node] = st.one_of(
    st.builds(Comparison, STRING_FIELD, ORDER, TEXT),
    st.builds(Comparison, INTEGER_FIELD, ORDER, INTEGER),
    st.builds(Comparison, METADATA, st.sampled_from(["==", "!="]), st.one_of(TEXT, NUMBER, st.booleans())),
    st.builds(Membership, STRING_FIELD, st.lists(TEXT, min_size=1, max_size=20).map(tuple), st.booleans()),
    st.builds(Membership, INTEGER_FIELD, st.lists(INTEGER, min_size=1, max_size=99).map(tuple), st.booleans()),
    st.builds(Like, STRING_FIELD, PATTERN),
    st.builds(Contains, st.sampled_from(CONTAINS[1:]), METADATA, st.lists(NUMBER, min_size=1, max_size=5).map(tuple)),
)
FILTER = st.recursive(
    CONDITION,
    lambda inner: st.builds(
        Junction, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4).map(tuple)
    ),
    max_leaves=16,
)


@pytest.mark.milvus
@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(FILTER)
def test_milvus_survives_every_filter_that_is_accepted(filled: Store, tree: Node) -> None:
    try:
        sent = canonical(render(tree, is_lite=True), is_lite=True)
    except InvalidFilter:  # longer or deeper than allowed
        return
    filled.search(VECTORS[:1], 9, sent)
