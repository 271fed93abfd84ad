"""Which words find which: the terms of texts and queries, and BM25 over them in Milvus Lite."""

from __future__ import annotations

import numpy as np
import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import terms
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.store import Store, StoredDocument

ENCODER = EncoderInfo("tiny", "f1", 4, 128, True, {}, "fp32", "{}")
# A query, a text that it finds first, and one that shares less with it.
PAIRS = [
    ("zurich", "Das Büro in Zürich", "Das Büro in Bern"),
    ("Zürich", "the ZURICH office", "the Bern office"),
    ("strasse", "Die lange Straße", "Der lange Weg"),
    ("Ελλάδα", "η ελλαδα", "η Ιταλία"),
    ("ёлка", "новая елка", "новая ель"),
    ("Schifffahrt", "Die Donau\u00addampf, die Schiff\u00adfahrt", "Die Schiffe fahren"),
    ("database", "a data\u200bbase", "a data store"),
    ("ＡＢＣ１２３", "model abc123", "model abd124"),
    ("ﬁnance", "Finance and law", "Final law"),
    ("カタカナ", "ｶﾀｶﾅ の本", "かな の本"),
    ("C++", "Written in C++.", "Written in C. And in C, C, C."),
    ("C#", "C# or Java", "C++ or Java"),
    (".NET", "runs on .NET today", "runs on the net today"),
    ("12mm", "a bolt of 12 mm", "12 bolts of 5 mm, not of 12 cm"),
    ("12 mm", "a 12mm bolt", "12 bolts of 5 cm"),
    ("2,5 kg", "weighs 2.5kg", "weighs 2 or 5 tons"),
    ("20°C", "at 20 ℃", "20 of them"),
    ("AB-1234/5", "part AB-1234/5 fits", "part AB-1234/6 fits, AB-5 fits"),
    ("AB1234", "part AB-1234 fits", "part AC-1235 fits"),
    ("ISO 9001", "certified by ISO9001", "certified by ISO 9002"),
    ("covid-19", "COVID-19 tests", "covid tests"),
    ("h1n1", "the H1N1 virus", "the H2N2 virus"),
    ("email", "send an e-mail", "send a mail"),
    ("well known", "a well-known fact", "a known fact"),
    ("snake_case", "use snake_case here", "use snake here, any case"),
    ("北京", "我们在北京开会", "我们在南京开会"),
    ("大会堂", "北京的人民大会堂", "人民大学的会场"),
    ("東京都庁", "新宿の東京都庁舎", "京都の新しい庁舎"),
    ("サーバー", "データベースサーバーの設定", "データベースの設定"),
    ("水", "飲料水を買う", "飲料を買う"),
    ("서울특별시", "서울특별시에서 회의가 열렸다", "부산광역시에서 회의가 열렸다"),
    ("กรุงเทพ", "ประเทศไทยมีกรุงเทพเป็นเมืองหลวง", "ประเทศลาวมีเวียงจันทน์เป็นเมืองหลวง"),
    ("ວຽງຈັນ", "ນະຄອນຫຼວງວຽງຈັນ", "ນະຄອນຫຼວງພຣະບາງ"),
    ("Windows 設定", "Windowsの設定", "Linuxの画面"),
    ("हिन्दी", "मुझे हिन्दी आती है", "मुझे उर्दू आती है"),
    ("كتاب", "كِتَابٌ جديد", "قلم جديد"),
]


@pytest.mark.milvus
def test_words_are_found_in_all_their_spellings(store: Store) -> None:
    store.open(ENCODER, create=True)
    texts = [text for _, found, other in PAIRS for text in (found, other)]
    rows = [(StoredDocument(f"d{n}", f"{n}.md", "", "h"), Chunk(text, "", None, 0)) for n, text in enumerate(texts)]
    store.upsert(rows, np.ones((len(rows), 4), np.float32) / 2)
    for n, (query, found, _) in enumerate(PAIRS):
        pair = f'document_id in ["d{2 * n}", "d{2 * n + 1}"]'
        (hits,) = store.search_bm25([query], 2, pair, with_chunks=True)
        assert hits and hits[0].chunk and hits[0].chunk.text == found, query  # returned as it was written


@pytest.mark.milvus
def test_a_query_without_terms_finds_nothing(store: Store) -> None:
    store.open(ENCODER, create=True)
    store.upsert(
        [(StoredDocument("d", "a.md", "", "h"), Chunk("Straße 1 + 1 = 2", "", None, 0))], np.eye(1, 4, dtype=np.float32)
    )
    assert store.search_bm25(["?!", " \u200b ", "strasse"], 5)[:2] == [[], []]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The end.Next", ["the", "end", "next"]),
        ("(C++11)", ["c++", "11"]),
        ("ASP.NET.", ["asp", "net"]),
        ("12.5 mm", ["12", "5", "mm", "125mm"]),
        ("5%", ["5", "5%"]),
        ("in 2020 the", ["in", "2020", "the"]),
        ("й и", ["й", "и"]),
        ("がか", ["が", "か", "がか"]),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert list(terms(text)) == expected


def test_terms_of_any_text_are_bounded() -> None:
    for text in ("a" * 100_000, "-".join("ab" * 50_000), "1a" * 50_000, "é" * 100_000, "ก" * 1000, "+#." * 50_000):
        found = list(terms(text))
        assert max(map(len, found), default=0) <= 192
        assert sum(map(len, found)) <= 8 * len(text)
        assert not any(map(str.isspace, "".join(found)))
