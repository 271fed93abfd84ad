"""Training pairs of documents alone."""

from __future__ import annotations

import re

import pytest

from retriton_tuning.unlabelled import pairs_of_documents

ENGLISH = [
    f"Pump x{n}x stands in a hall of the northern works, beside the old store. "
    f"The crew of ship x{n}x painted it in the year when the works were opened again. "
    f"Nobody may open valve x{n}x before the pressure has fallen below the bound of the manual."
    for n in range(12)
]
CHINESE = [
    f"水泵x{n}x在北方工厂的大厅里。仓库里的x{n}x水泵每天早上检查一次。阀门x{n}x的压力不能超过四十巴。"
    for n in range(12)
]
WITHOUT_SENTENCES = ["a single line without any end, which is long enough to ask for", "One. Two. Three.", "", "。。。"]
MARK = re.compile(r"x\d+x")


@pytest.mark.parametrize(
    "texts", [ENGLISH, [text.lower() for text in ENGLISH], CHINESE], ids=["english", "lower case", "chinese"]
)
def test_each_passage_gives_a_sentence_and_its_rest(texts: list[str]) -> None:
    passages = {f"p{n}": text for n, text in enumerate([*texts, *WITHOUT_SENTENCES])}
    found = pairs_of_documents(passages, {"p3"})
    assert found == pairs_of_documents(passages, {"p3"}) != pairs_of_documents(passages, {"p3"}, seed=1)
    assert {tuple(MARK.findall(pair.query)) for pair in found} == {(f"x{n}x",) for n in range(12) if n != 3}
    for pair in found:
        assert MARK.findall(pair.passage) == 2 * MARK.findall(pair.query)
        assert pair.query not in pair.passage
