"""The steps of an export that differ between encoders and cross-encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from retriton_export import graph, parity, sample_texts, score_parity
from retriton_export.checkpoint import Checkpoint
from retriton_serving.batching.padding import Padding
from retriton_serving.batching.pair_tokenization import Pair, PairTokenizer, unpack
from retriton_serving.batching.tokenization import RoleTokenizer
from retriton_serving.contract.manifest import GoldenOutput
from retriton_serving.contract.models import EMBEDDING_LANES, RERANK
from retriton_serving.engines import Compute, Feed

_RANKED_PASSAGES, _RANKED_QUERIES, _CALIBRATION_TEXTS = 200, 40, 300
_PAIRED_PASSAGES, _PAIRED_QUERIES = 24, 8
Report = parity.ParityReport | score_parity.ScoreReport


class ModelKind(Protocol):
    """A loaded checkpoint, which serves as the reference of the parity gate.

    Attributes:
        model: reference in PyTorch, float32.
        inputs, output: names of the graph's inputs and output.
        lanes: names of the models whose micro-batches it computes, those of queries first.
    """

    model: graph.SentenceEncoder | graph.CrossEncoder
    inputs: tuple[str, ...]
    output: str
    lanes: tuple[str, ...]

    def dimension(self) -> int:
        """Returns the number of values in a row of the output."""

    def calibration(self) -> Sequence[Feed]:
        """Returns inputs made from real texts, for quantization."""

    def compare(self, compute: Compute, precision: str) -> Report:
        """Compares an artefact with the reference and returns the report of the parity gate.

        Args:
            compute: artefact to compare.
            precision: precision of the artefact, which selects the thresholds.
        """

    def golden(self, compute: Compute, precision: str) -> list[GoldenOutput]:
        """Returns outputs of an artefact that passed the gate, for servers to compare theirs with. See `compare`."""


def load(checkpoint: Checkpoint, tokenizer_file: Path, pad_token_id: int, with_types: bool) -> ModelKind:
    """Loads the checkpoint into PyTorch, as an encoder or a cross-encoder.

    Args:
        checkpoint: checkpoint to load.
        tokenizer_file: its ``tokenizer.json``.
        pad_token_id: id of the padding token.
        with_types: whether its tokenizer returns token types.

    Raises:
        UnsupportedCheckpoint: `transformers` cannot load the checkpoint.
    """
    if checkpoint.is_cross_encoder:
        return CrossEncoderKind(checkpoint, tokenizer_file, pad_token_id, with_types)
    return EncoderKind(checkpoint, tokenizer_file, pad_token_id)


class EncoderKind:
    """An encoder, which maps token ids and mask to vectors."""

    inputs: tuple[str, ...] = graph.INPUTS
    output: str = graph.OUTPUT
    lanes: tuple[str, ...] = tuple(EMBEDDING_LANES.values())

    def __init__(self, checkpoint: Checkpoint, tokenizer_file: Path, pad_token_id: int) -> None:
        self.model: graph.SentenceEncoder | graph.CrossEncoder = graph.load_encoder(checkpoint)
        self._tokens_max = checkpoint.max_tokens
        self._padding = Padding(pad_token_id, checkpoint.max_tokens)
        self._tokenizers = {
            role: RoleTokenizer(tokenizer_file, checkpoint.prompts[role], checkpoint.max_tokens)
            for role in EMBEDDING_LANES
        }
        self._tokenizer = self._tokenizers["passage"]
        self._reference = parity.embed_with_torch(self.model, self._padding)

    def dimension(self) -> int:
        """Returns the number of values in a vector."""
        return int(self._reference([[0]]).shape[1])

    def calibration(self) -> Sequence[Feed]:
        """Returns inputs made from the sample passages."""
        return [dict(zip(self.inputs, self._padding([ids]), strict=True)) for ids in self._passages(_CALIBRATION_TEXTS)]

    def compare(self, compute: Compute, precision: str) -> Report:
        """Compares vectors and rankings with PyTorch. See `ModelKind.compare` for arguments."""
        return parity.measure_parity(
            self._reference,
            parity.embed_with_engine(compute, self._padding),
            texts=sample_texts.token_ids(self._tokenizer, sample_texts.of_many_lengths(self._tokens_max)),
            passages=self._passages(_RANKED_PASSAGES),
            queries=sample_texts.token_ids(self._tokenizer, sample_texts.queries(_RANKED_QUERIES)),
            precision=precision,
        )

    def golden(self, compute: Compute, precision: str) -> list[GoldenOutput]:
        """Returns the vector of one text for each role. See `ModelKind.golden`."""
        embed = parity.embed_with_engine(compute, self._padding)
        least = parity.GOLDEN_COSINE_MIN[precision]
        outputs = []
        for role, lane in EMBEDDING_LANES.items():
            ids = sample_texts.token_ids(self._tokenizers[role], [sample_texts.GOLDEN])
            outputs.append(GoldenOutput(lane, [sample_texts.GOLDEN], embed(ids)[0].tolist(), least))
        return outputs

    def _passages(self, count: int) -> list[list[int]]:
        every = sample_texts.passages()
        return sample_texts.token_ids(self._tokenizer, every[:: max(1, len(every) // count)])


class CrossEncoderKind:
    """A cross-encoder, which maps pairs of texts to scores."""

    inputs: tuple[str, ...] = graph.PAIR_INPUTS
    output: str = graph.PAIR_OUTPUT
    lanes: tuple[str, ...] = (RERANK,)

    def __init__(self, checkpoint: Checkpoint, tokenizer_file: Path, pad_token_id: int, with_types: bool) -> None:
        self.model: graph.SentenceEncoder | graph.CrossEncoder = graph.load_cross_encoder(
            checkpoint, with_types, pad_token_id
        )
        self._tokens_max = checkpoint.max_tokens
        self._padding = Padding(pad_token_id, checkpoint.max_tokens)
        self._tokenizer = PairTokenizer(tokenizer_file, checkpoint.max_tokens)

    def dimension(self) -> int:
        """Returns 1: the output is a score."""
        return 1

    def calibration(self) -> Sequence[Feed]:
        """Returns inputs made from pairs of sample texts."""
        return [self._feed([ids]) for query in self._pairs() for ids in query]

    def compare(self, compute: Compute, precision: str) -> Report:
        """Compares scores with PyTorch. See `ModelKind.compare` for arguments."""

        def reference(feed: Feed) -> Any:
            with torch.inference_mode():
                return self.model(*(torch.from_numpy(feed[name]) for name in self.inputs)).numpy()

        return score_parity.measure(reference, compute, self._feed, self._pairs(), precision)

    def golden(self, compute: Compute, precision: str) -> list[GoldenOutput]:
        """Returns the score of one pair. See `ModelKind.golden`."""
        pair = Pair(sample_texts.GOLDEN_QUERY, sample_texts.GOLDEN)
        ids = sample_texts.token_ids(self._tokenizer, [pair])
        score = float(compute(self._feed(ids))[0, 0])
        return [GoldenOutput(RERANK, list(pair), [score], score_parity.golden_tolerance(score, precision))]

    def _pairs(self) -> list[list[list[int]]]:
        """Packed ids of sample pairs, grouped by query."""
        passages = sample_texts.passages()[:: len(sample_texts.passages()) // _PAIRED_PASSAGES]
        queries = sample_texts.queries(_PAIRED_QUERIES, words=12 if self._tokens_max >= 128 else 2)
        pairs = [[Pair(query, passage) for passage in passages] for query in queries]
        return [sample_texts.token_ids(self._tokenizer, of_query) for of_query in pairs]

    def _feed(self, rows: Sequence[list[int]]) -> Feed:
        packed, mask = self._padding(rows)
        ids, types = unpack(packed)
        return dict(zip(self.inputs, (ids, mask, types), strict=True))
