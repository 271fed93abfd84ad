"""The parity gate: compares an artefact with its checkpoint for texts of many lengths, alone and in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from retriton_export.errors import ParityError
from retriton_serving.batching.padding import Padding
from retriton_serving.engines import Compute

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[list[int]]], Vectors]
_TOP = 10
_TIE = 5e-4  # passages whose scores differ by less count as tied
_BATCH = 16


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the parity gate.

    Attributes:
        cosine_min: minimum cosine between the vectors of a text.
        cosine_mean: minimum of the mean cosine.
        batch_invariance: minimum cosine between the vectors of a text computed alone and in a padded batch.
        top10_overlap: minimum share of the ten nearest passages that agree.
    """

    cosine_min: float
    cosine_mean: float
    batch_invariance: float
    top10_overlap: float


THRESHOLDS = {
    "fp32": Thresholds(0.99999, 0.99999, 0.99999, 0.99),
    "fp16": Thresholds(0.9995, 0.9995, 0.9995, 0.97),
    "bf16": Thresholds(0.9995, 0.9995, 0.9995, 0.97),
    "fp8": Thresholds(0.98, 0.99, 0.98, 0.95),
    "int8": Thresholds(0.9, 0.99, 0.98, 0.95),
}

# The least cosine between a vector of a served artefact and the same vector at its export. Other CPUs, GPUs and
# backends round differently (TF32 on a GPU computes float32 with 10 bits); a damaged file gives a cosine near 0.
GOLDEN_COSINE_MIN = {"fp32": 0.999, "fp16": 0.999, "bf16": 0.999, "fp8": 0.97, "int8": 0.9}


@dataclass(frozen=True)
class ParityReport:
    """Differences between an artefact and the checkpoint in PyTorch float32.

    Attributes:
        texts: number of texts compared by cosine.
        tokens_min, tokens_max: lengths of the shortest and the longest of these texts.
        cosine_min_alone: lowest cosine with each text computed alone.
        cosine_min_batched: lowest cosine with all texts in one padded batch.
        cosine_mean: mean cosine over both.
        batch_invariance_min: lowest cosine between the artefact's own vectors, alone and batched.
        passages: number of ranked passages.
        top10_overlap: share of the ten nearest passages of each query that artefact and checkpoint agree on.
        thresholds: thresholds of the parity gate.
    """

    texts: int
    tokens_min: int
    tokens_max: int
    cosine_min_alone: float
    cosine_min_batched: float
    cosine_mean: float
    batch_invariance_min: float
    passages: int
    top10_overlap: float
    thresholds: Thresholds

    def check(self) -> None:
        """Raises `ParityError` if a value is below its threshold; the message lists all of them."""
        required = self.thresholds
        lowest = min(self.cosine_min_alone, self.cosine_min_batched)
        found = [
            ("lowest cosine", lowest, required.cosine_min),
            ("mean cosine", self.cosine_mean, required.cosine_mean),
            ("lowest cosine between alone and batched", self.batch_invariance_min, required.batch_invariance),
            ("top-10 overlap", self.top10_overlap, required.top10_overlap),
        ]
        failed = [f"{name} {value:.7f}, required {least}" for name, value, least in found if not value >= least]
        if failed:
            raise ParityError(
                f"the artefact differs from the checkpoint: {'; '.join(failed)}. It was not installed. {asdict(self)}"
            )

    def summary(self) -> str:
        """Returns a one-line summary."""
        lowest = min(self.cosine_min_alone, self.cosine_min_batched)
        return f"lowest cosine {lowest:.6f}, top-10 overlap {self.top10_overlap:.3f} over {self.passages} passages"


def measure_parity(
    reference: Embed,
    artefact: Embed,
    texts: Sequence[list[int]],
    passages: Sequence[list[int]],
    queries: Sequence[list[int]],
    precision: str,
) -> ParityReport:
    """Compares the vectors and rankings of an artefact with a reference.

    Args:
        reference: checkpoint in PyTorch.
        artefact: artefact in the engine that serves it.
        texts: token ids of texts of many lengths, which are computed alone and in one batch.
        passages: token ids of the passages to rank.
        queries: token ids of the queries to rank them for.
        precision: precision of the artefact, which selects the thresholds.
    """
    wanted = _one_by_one(reference, texts)
    alone, batched = _one_by_one(artefact, texts), artefact(texts)
    cosines = _cosines(wanted, alone), _cosines(wanted, batched)
    lengths = [len(text) for text in texts]
    return ParityReport(
        texts=len(texts),
        tokens_min=min(lengths),
        tokens_max=max(lengths),
        cosine_min_alone=float(cosines[0].min()),
        cosine_min_batched=float(cosines[1].min()),
        cosine_mean=float(np.mean(cosines)),
        batch_invariance_min=float(_cosines(alone, batched).min()),
        passages=len(passages),
        top10_overlap=_overlap(_scores(reference, passages, queries), _scores(artefact, passages, queries)),
        thresholds=THRESHOLDS[precision],
    )


def embed_with_torch(encoder: nn.Module, padding: Padding) -> Embed:
    """Returns a function from token ids to the vectors of the checkpoint in PyTorch."""

    def embed(texts: Sequence[list[int]]) -> Vectors:
        ids, mask = padding(texts)
        with torch.inference_mode():
            vectors: Vectors = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        return vectors

    return embed


def embed_with_engine(compute: Compute, padding: Padding) -> Embed:
    """Returns a function from token ids to the vectors of the artefact in its engine."""

    def embed(texts: Sequence[list[int]]) -> Vectors:
        ids, mask = padding(texts)
        return compute({"input_ids": ids, "attention_mask": mask})

    return embed


def _one_by_one(embed: Embed, texts: Sequence[list[int]]) -> Vectors:
    return np.concatenate([embed([text]) for text in texts])


def _scores(embed: Embed, passages: Sequence[list[int]], queries: Sequence[list[int]]) -> Vectors:
    """Computes cosines, ``[queries, passages]``."""
    by_length = sorted(range(len(passages)), key=lambda place: len(passages[place]))
    batches = [by_length[first : first + _BATCH] for first in range(0, len(passages), _BATCH)]
    vectors = np.concatenate([embed([passages[place] for place in batch]) for batch in batches])
    return _normalized(embed(queries)) @ _normalized(vectors)[np.argsort(by_length)].T


def _overlap(reference: Vectors, found: Vectors) -> float:
    """Share of the ten highest scores in ``found`` that are also among the ten highest, or tied, in ``reference``."""
    top = min(_TOP, reference.shape[1])
    lowest = -np.sort(-reference, axis=1)[:, top - 1 : top] - _TIE
    places = np.argsort(-found, axis=1)[:, :top]
    return float((np.take_along_axis(reference, places, axis=1) >= lowest).mean())


def _normalized(vectors: Vectors) -> Vectors:
    normalized: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalized


def _cosines(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    cosines: NDArray[np.float64] = (a64 * b64).sum(1) / (np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1))
    return cosines
