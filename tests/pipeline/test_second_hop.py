from __future__ import annotations

import pytest

from retriton_pipeline.retrieval.second_hop import names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Lovelace wrote it in 1843, for Charles Babbage.", ["Ada Lovelace", "1843", "Charles Babbage"]),
        ("the University of Cambridge", ["University of Cambridge"]),
        ("Это сказал Пушкин в городе", ["Это", "Пушкин"]),
        ("ähnlich wie Österreich", ["Österreich"]),
        ("nothing here", []),
    ],
)
def test_names_are_capitalised_words_and_years(text: str, names: list[str]) -> None:
    assert names_in(text) == names
