"""Measures a library in process, and prints one JSON line. Runs in the environments of peers: standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

SAMPLE = 8  # passages whose vectors are compared
Embed = Callable[[list[str]], Iterable[Sequence[float]]]
Load = Callable[[Path, str, int], Embed]


def run(load: Load) -> None:
    """Loads the library and measures passages and single queries.

    The arguments of the command are the checkpoint's folder, the variant, the size of a batch, the folder of the texts,
    and the duration of a measurement.
    """
    checkpoint, variant, batch, folder, seconds = sys.argv[1:]
    passages, queries = (_texts(Path(folder) / f"{name}.json") for name in ("passages", "queries"))
    embed = load(Path(checkpoint), variant, int(batch))
    sample = [[float(value) for value in vector] for vector in embed(passages[:SAMPLE])]
    list(embed(queries[:1]))
    result = {
        "sample": sample,
        "passages": rate(embed, [passages], float(seconds)),
        "single_queries": rate(embed, [[query] for query in queries], float(seconds)),
    }
    print(json.dumps(result), flush=True)


def rate(embed: Embed, calls: list[list[str]], seconds: float) -> float:
    """Repeats ``calls`` in turn for at least ``seconds``: texts a second."""
    done, start, number = 0, time.monotonic(), 0
    while time.monotonic() - start < seconds:
        texts = calls[number % len(calls)]
        done += sum(1 for _ in embed(texts))
        number += 1
    return done / (time.monotonic() - start)


def by_length(texts: list[str], batch: int, embed: Embed) -> Iterable[Sequence[float]]:
    """Embeds in batches of texts of similar length, for libraries that do not sort. The order of texts is kept."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    found: dict[int, Sequence[float]] = {}
    for first in range(0, len(order), batch):
        places = order[first : first + batch]
        found.update(zip(places, embed([texts[place] for place in places]), strict=True))
    return [found[place] for place in range(len(texts))]


def _texts(path: Path) -> list[str]:
    return [step["text"][0] for step in json.loads(path.read_text())["data"]]
