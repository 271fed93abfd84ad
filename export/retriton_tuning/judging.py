"""Judges the results of logged queries, by a person or an LLM, where nothing is labelled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from retriton_tuning.measures import Run
from retriton_tuning.synthetic import read_lines

Choose = Callable[[str, Sequence[str]], Sequence[int] | None]
"""Shows a query and passages, and gives the places of the relevant ones, from 0; None stops."""
_POOL = 3  # first hits of each ranking
_PASSAGE_CHARACTERS_MAX = 1500
_PROMPT = """Which of the numbered passages answer the search query? Reply with their numbers, separated by commas, or
with 0 if none does. Reply with nothing else.

Query: {query}

{passages}"""


def judge_queries(
    queries: Mapping[str, str], runs: Sequence[Run], passages: Mapping[str, str], count: int, file: Path, choose: Choose
) -> dict[str, dict[str, int]]:
    """Grades by query id, for up to ``count`` queries of which some hit is relevant.

    The first hits of all rankings are shown in one order that does not tell which ranking found them.

    Args:
        queries: text by id.
        runs: rankings of the queries: of both models, and of BM25.
        passages: text by id.
        count: of queries to judge.
        file: receives each judgement, so that a later run asks for the missing ones alone.
        choose: a person, or an LLM.
    """
    known = {str(row["query"]): row["relevant"] for row in read_lines(file)}
    relevant: dict[str, dict[str, int]] = {}
    for query, text in queries.items():
        if len(relevant) >= count:
            break
        if text not in known:
            pool = sorted({hit for run in runs for hit in list(run.get(query, {}))[:_POOL]})
            places = choose(text, [passages[hit] for hit in pool])
            if places is None:
                break
            known[text] = [pool[place] for place in places]
            with file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"query": text, "relevant": known[text]}, ensure_ascii=False) + "\n")
        if found := known[text]:
            relevant[query] = dict.fromkeys(found, 1)
    return relevant


def prompt(query: str, passages: Sequence[str]) -> str:
    """The prompt for an LLM that judges."""
    numbered = (f"[{place}] {text[:_PASSAGE_CHARACTERS_MAX]}" for place, text in enumerate(passages, start=1))
    return _PROMPT.format(query=query, passages="\n\n".join(numbered))


def places_in(answer: str, count: int) -> list[int]:
    """The places, from 0, that an answer names by number, from 1."""
    numbers = (int(number) for number in re.findall(r"\d+", answer))
    return list(dict.fromkeys(number - 1 for number in numbers if 1 <= number <= count))
