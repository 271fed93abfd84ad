"""Synthetic queries: an LLM writes several kinds of them for passages, and those that do not lead back are dropped."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from retriton_tuning.labels import Pair
from retriton_tuning.measures import Run
from retriton_tuning.near_duplicates import connected, near_duplicates
from retriton_tuning.training import OnStep

Ask = Callable[[str], Awaitable[str]]
PASSAGES_MAX = 300
_CONCURRENT = 8
_WORDS = (2, 60)
_PASSAGE_CHARACTERS_MAX = 4000
_CHARACTERS_PER_TOKEN = 4
_LEADS_BACK = 10  # hits among which the passage must be
_PROMPT = """Write search queries that a user would type who does not know the passage below but needs what it says.
Write one query of each kind, each on a line of its own, without numbering and without any other text:
- a question in plain words
- a few keywords
- a question that describes a situation or problem in other words than the passage
Use the language of the passage. Do not mention "the passage" or "the text".

Passage:
{passage}"""
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")


def generate(passages: Mapping[str, str], file: Path, ask: Ask, seed: int, on_step: OnStep) -> list[Pair]:
    """Asks for queries to random passages.

    Args:
        passages: text by id.
        file: receives each answer as it comes; a later run asks for the missing ones alone.
        ask: sends a prompt, and gives the LLM's answer.
        seed: of the choice of passages.
        on_step: is told the cost before the first request.
    """
    keys = sorted(passages)
    random.Random(seed).shuffle(keys)  # noqa: S311
    keys = keys[:PASSAGES_MAX]
    known = _read(file)
    missing = [key for key in keys if key not in known]
    characters = sum(len(_prompt(passages[key])) for key in missing)
    on_step(
        f"{len(missing)} requests to the LLM, about {characters // _CHARACTERS_PER_TOKEN:,} tokens to read and "
        f"{60 * len(missing):,} to write"
    )
    known |= asyncio.run(_ask_all(missing, passages, file, ask))
    pairs = [Pair(query, passages[key]) for key in keys if key in known for query in queries_in(known[key])]
    return _without_duplicates(pairs)


def queries_in(answer: str) -> list[str]:
    """The queries in an answer: lines of a plausible length, without bullets and quotation marks."""
    lines = [_BULLET.sub("", line).strip().strip("\"'“”") for line in answer.splitlines()]
    return list(dict.fromkeys(line for line in lines if _WORDS[0] <= len(line.split()) <= _WORDS[1]))


def leads_back(pairs: Sequence[Pair], keys: Sequence[str], run: Run, passages: Mapping[str, str]) -> list[Pair]:
    """Pairs whose passage is among the first hits of its query.

    Args:
        pairs: to filter.
        keys: ids of their queries in ``run``.
        run: hybrid rankings of the original model.
        passages: text by id.
    """
    found = ([passages[hit] for hit in list(run.get(key, {}))[:_LEADS_BACK]] for key in keys)
    return [pair for pair, hits in zip(pairs, found, strict=True) if pair.passage in hits]


async def _ask_all(keys: Sequence[str], passages: Mapping[str, str], file: Path, ask: Ask) -> dict[str, str]:
    slots, answers = asyncio.Semaphore(_CONCURRENT), {}

    async def one(key: str) -> None:
        async with slots:
            answers[key] = await ask(_prompt(passages[key]))
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"passage": key, "answer": answers[key]}, ensure_ascii=False) + "\n")

    await asyncio.gather(*map(one, keys))
    return answers


def _prompt(passage: str) -> str:
    return _PROMPT.format(passage=passage[:_PASSAGE_CHARACTERS_MAX])


def _read(file: Path) -> dict[str, str]:
    return {row["passage"]: row["answer"] for row in read_lines(file)}


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of a file that a killed run may have left half written."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _without_duplicates(pairs: Sequence[Pair]) -> list[Pair]:
    """Of queries that nearly repeat each other, the first."""
    texts = [pair.query for pair in pairs]
    nodes = [str(number) for number in range(len(texts))]
    component = connected(nodes, [(str(a), str(b)) for a, b in near_duplicates(texts, words=1)])
    first = {component[node]: int(node) for node in reversed(nodes)}
    return [pairs[place] for place in sorted(first.values())]
