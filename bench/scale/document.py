"""`python -m bench.scale.document`: writes the tables into docs/scale.md, between their marks."""

from __future__ import annotations

from pathlib import Path

from bench.scale.__main__ import PASSAGES, RATES, embedding_table, front_table, searching_table, storage_table
from bench.scale.assumptions import Assumptions

_END = "<!-- end -->"
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def with_tables(text: str) -> str:
    """The page with these tables instead of those that are there."""
    a = Assumptions()
    found = {
        "embedding": embedding_table(a, PASSAGES, 16),
        "storage": storage_table(a, PASSAGES),
        "searching": searching_table(a, PASSAGES, RATES),
        "front": front_table(a, RATES),
    }
    for name, table in found.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{before}{mark}\n{table}\n\n{_END}{rest.partition(_END)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
