"""A domain that an encoder can learn: queries are written in another alphabet than passages.

A tiny encoder reads letters. Before it is tuned it finds little, afterwards it also finds documents it has not seen.
"""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

_CIPHER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase[13:] + string.ascii_uppercase[:13])


def write_domain(
    folder: Path, queries: int, seed: int = 0, shuffled: bool = False, splits: bool = False, others: int = 100
) -> Path:
    """A folder in BEIR's layout; with ``shuffled`` labels, or with those for training apart.

    ``others`` are passages that answer nothing.
    """
    chance = random.Random(seed)
    (folder / "qrels").mkdir(parents=True)
    passages = [" ".join(_word(chance) for _ in range(5)) for _ in range(queries + others)]
    _write(folder / "corpus.jsonl", [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(passages)])
    asked = [query_for(text, chance) for text in passages[:queries]]
    _write(folder / "queries.jsonl", [{"_id": f"q{n}", "text": text} for n, text in enumerate(asked)])
    answers = list(range(queries))
    if shuffled:
        chance.shuffle(answers)
    rows = [f"q{n}\td{answer}\t1" for n, answer in enumerate(answers)]
    if splits:
        half = queries // 2
        (folder / "qrels" / "train.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows[:half]]) + "\n")
        rows = rows[half:]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")  # some files have no header
    return folder


def write_pairs(file: Path, count: int) -> Path:
    """Pairs as JSON lines."""
    chance = random.Random(1)
    passages = [" ".join(_word(chance) for _ in range(5)) for _ in range(count)]
    _write(file, [{"query": query_for(text, chance), "passage": text} for text in passages])
    return file


def query_for(passage: str, chance: random.Random) -> str:
    """Words of the passage in the other alphabet, and one as it is."""
    words = chance.sample(passage.split(), 4)
    return " ".join([words[0], *(word.translate(_CIPHER) for word in words[1:])])


def _word(chance: random.Random) -> str:
    letters = chance.sample(string.ascii_lowercase, 3)
    return "".join(letters[chance.randrange(3)] for _ in range(5))


def _write(file: Path, rows: list[dict[str, str]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
