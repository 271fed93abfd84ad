"""Deterministic texts of many lengths, measured with the served tokenizer."""

from __future__ import annotations

import json
import random
from pathlib import Path

from retriton_client import Client
from retriton_pipeline.tokens import TokenCounter

REPORT = Path(".retriton/bench")
# fmt: off
_WORDS = [
    "the", "of", "and", "retrieval", "model", "server", "query", "document", "passage", "latency",
    "throughput", "vector", "encoder", "token", "batch", "search", "index", "memory", "request", "answer",
    "question", "text", "language", "meaning", "nearest", "neighbour", "score", "ranking", "system", "network",
]
# fmt: on


class Workloads:
    """Queries of about 16 tokens, and passages of 8 to 250 tokens.

    Args:
        client: client of the server whose tokenizer counts tokens.

    Attributes:
        queries, passages: 512 texts each.
        passage_tokens: mean number of tokens of a passage.
    """

    def __init__(self, client: Client) -> None:
        self._counter = counter = TokenCounter(client.encoder_info())
        draw = random.Random(7)
        self.queries = [" ".join(draw.choices(_WORDS, k=13)) for _ in range(512)]
        self.passages = [_text(counter, draw, draw.randint(8, 250)) for _ in range(512)]
        self.passage_tokens = sum(counter.count_passage(text) for text in self.passages) / len(self.passages)

    def passages_of(self, tokens: int) -> list[str]:
        """512 passages of exactly ``tokens`` tokens, special tokens included."""
        special = self._counter.count_passage("")
        words = [word for word in _WORDS if self._counter.count_passage(word) == special + 1]
        draw = random.Random(11)
        return [" ".join(draw.choices(words, k=tokens - special)) for _ in range(512)]

    def write(self, folder: Path) -> None:
        """Writes ``queries.json`` and ``passages.json`` for perf_analyzer and for the engine in process."""
        for name, texts in (("queries", self.queries), ("passages", self.passages)):
            (folder / f"{name}.json").write_text(json.dumps({"data": [{"text": [text]} for text in texts]}))


def _text(counter: TokenCounter, draw: random.Random, tokens: int) -> str:
    words: list[str] = []
    while counter.count_passage(" ".join(words)) < tokens:
        words += draw.choices(_WORDS, k=max(1, (tokens - counter.count_passage(" ".join(words))) // 2))
    return " ".join(words)
