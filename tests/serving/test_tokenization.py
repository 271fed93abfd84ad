from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from retriton_serving.batching.tokenization import RoleTokenizer, Truncate, decode_text
from retriton_serving.contract.errors import BadParameter, BadText, TextTooLong

# [CLS] 1, [SEP] 2, "query:" 3, w0..w9 are 10..19
VOCABULARY = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "query:": 3, "[UNK]": 4, **{f"w{n}": 10 + n for n in range(10)}}
TEXT = " ".join(f"w{n}" for n in range(10))


@pytest.fixture
def tokenizer(tmp_path: Path) -> RoleTokenizer:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 1), ("[SEP]", 2)])
    tokenizer.enable_padding(length=128)  # as some checkpoints have it; it must not show
    tokenizer.enable_truncation(4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return RoleTokenizer(tmp_path / "tokenizer.json", "query: ", max_tokens=8)


def test_the_prefix_is_added_and_the_files_own_padding_is_off(tokenizer: RoleTokenizer) -> None:
    assert [ids.tolist() for ids in tokenizer.tokenize(["w1 w2", "w3"])] == [[1, 3, 11, 12, 2], [1, 3, 13, 2]]


@pytest.mark.parametrize(
    ("truncate", "kept"), [(Truncate.END, [10, 11, 12, 13, 14]), (Truncate.START, [15, 16, 17, 18, 19])]
)
def test_truncation_keeps_prefix_and_special_tokens(
    tokenizer: RoleTokenizer, truncate: Truncate, kept: list[int]
) -> None:
    (ids,) = tokenizer.tokenize([TEXT])
    fitted = tokenizer.fit(TEXT, ids, truncate, 0)
    assert fitted.ids.tolist() == [1, 3, *kept, 2]
    assert fitted.dropped == 5


def test_too_long_names_both_numbers(tokenizer: RoleTokenizer) -> None:
    (ids,) = tokenizer.tokenize([TEXT])
    with pytest.raises(TextTooLong, match="text 4 has 13 tokens, the encoder takes at most 8"):
        tokenizer.fit(TEXT, ids, Truncate.NONE, 4)


@pytest.mark.parametrize("truncate", Truncate)
def test_what_fits_is_left_alone(tokenizer: RoleTokenizer, truncate: Truncate) -> None:
    (ids,) = tokenizer.tokenize(["w1 w2 w3 w4 w5"])
    assert tokenizer.fit("w1 w2 w3 w4 w5", ids, truncate, 0).ids is ids
    assert len(ids) == 8


@pytest.mark.parametrize(
    ("raw", "code"), [(b"ok \xff", "TEXT_NOT_UTF8"), (b"", "TEXT_EMPTY"), (b" \n\t", "TEXT_EMPTY")]
)
def test_bad_texts_are_named(raw: bytes, code: str) -> None:
    with pytest.raises(BadText, match="text 2 is") as refused:
        decode_text(raw, 2)
    assert (refused.value.code, refused.value.numbers) == (code, {"index": 2})


def test_a_query_has_no_index() -> None:
    with pytest.raises(BadText, match="the query is empty") as refused:
        decode_text(b" ", None)
    assert refused.value.numbers == {}


def test_unknown_truncation() -> None:
    assert Truncate.parse("end") is Truncate.END
    with pytest.raises(BadParameter, match="NONE, START or END"):
        Truncate.parse("MIDDLE")
