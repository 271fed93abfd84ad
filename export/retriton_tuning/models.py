"""The models that are tuned, in PyTorch: encoders, and cross-encoders that order candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from retriton_export import Checkpoint
from retriton_tuning.labels import Task
from retriton_tuning.measures import Run

Weights = Mapping[str, torch.Tensor]
DEPTH = 100  # hits of a ranking
_TEXTS_PER_BATCH = 32
_TEXTS_PER_FILE = 400


class RankingModel(Protocol):
    """A model that ranks passages.

    Attributes:
        model: the sentence-transformers model.
        checkpoint: where it was loaded from.
    """

    model: Any
    checkpoint: Checkpoint

    def rank(self, task: Task, tokens_max: int | None = None) -> Run:
        """Ranks the passages for every query of a task; texts are truncated to ``tokens_max`` tokens."""


def load(checkpoint: Checkpoint) -> RankingModel:
    """Loads a checkpoint for training, float32, on the GPU if there is one."""
    return CrossEncoderModel(checkpoint) if checkpoint.is_cross_encoder else EncoderModel(checkpoint)


def weights_of(ranking: RankingModel) -> dict[str, torch.Tensor]:
    """A copy of the weights, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in ranking.model.state_dict().items()}


def digest_of(weights: Weights) -> str:
    """A short hex digest of weights."""
    digest = hashlib.sha256()
    for name, value in weights.items():
        digest.update(name.encode() + value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def device() -> str:
    """The device to compute on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def multiplies_bfloat16() -> bool:
    """Whether the CPU computes in it, and has instructions that multiply bfloat16: 1.9 times as fast as float32."""
    return device() == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextmanager
def measuring() -> Iterator[None]:
    """Computes without gradients, in bfloat16 where the CPU can: the cosine with float32's vectors is above 0.9999."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
        yield


class EncoderModel:
    """An encoder with its prompts; see `RankingModel`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.model: Any = _sentence_transformer(checkpoint)
        self._kept: dict[tuple[Any, ...], NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str], role: str, tokens_max: int | None = None) -> NDArray[np.float32]:
        """Vectors of length one, float32 ``[texts, dimension]``; role is ``query`` or ``passage``."""
        before = self.model.max_seq_length
        self.model.max_seq_length = min(tokens_max or self.checkpoint.max_tokens, self.checkpoint.max_tokens)
        try:
            with measuring():
                vectors: NDArray[np.float32] = self.model.encode(
                    list(texts),
                    prompt=self.checkpoint.prompts[role] or None,
                    batch_size=_TEXTS_PER_BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
        finally:
            self.model.max_seq_length = before
        return vectors.astype(np.float32, copy=False)

    def rank(self, task: Task, tokens_max: int | None = None) -> Run:
        """The nearest passages of every query, exact. See `RankingModel.rank`."""
        passages = self.embed(list(task.passages.values()), "passage", tokens_max)
        return nearest(task, self.embed(list(task.queries.values()), "query", tokens_max), passages)


def nearest(task: Task, queries: NDArray[np.float32], passages: NDArray[np.float32], depth: int = DEPTH) -> Run:
    """The passages with the largest inner products, by exact search.

    Args:
        task: names the rows.
        queries: float32 ``[queries, dimension]``.
        passages: float32 ``[passages, dimension]``.
        depth: number of passages for a query.
    """
    ids = list(task.passages)
    depth = min(depth, len(ids))
    run = {}
    for query, vector in zip(task.queries, queries, strict=True):
        scores = passages @ vector
        best = np.argpartition(-scores, depth - 1)[:depth]
        run[query] = {ids[place]: float(scores[place]) for place in best[np.argsort(-scores[best], kind="stable")]}
    return run


class CrossEncoderModel:
    """A cross-encoder, which orders the candidates of a task; see `RankingModel`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        from sentence_transformers import CrossEncoder

        self.checkpoint = checkpoint
        self.model: Any = CrossEncoder(
            str(checkpoint.folder), max_length=checkpoint.max_tokens, device=device(), local_files_only=True
        )

    def rank(self, task: Task, tokens_max: int | None = None) -> Run:
        """The candidates of every query, ordered by score. See `RankingModel.rank`."""
        places = [(query, passage) for query in task.queries for passage in task.candidates.get(query, ())]
        if not places:
            return {}
        texts = [(task.queries[query], task.passages[passage]) for query, passage in places]
        before = self.model.max_seq_length
        self.model.max_seq_length = min(tokens_max or self.checkpoint.max_tokens, self.checkpoint.max_tokens)
        try:
            with measuring():
                scores = self.model.predict(texts, batch_size=_TEXTS_PER_BATCH, show_progress_bar=False)
        finally:
            self.model.max_seq_length = before
        run: dict[str, dict[str, float]] = {}
        for (query, passage), value in zip(places, scores, strict=True):
            run.setdefault(query, {})[passage] = float(value)
        return run


def _sentence_transformer(checkpoint: Checkpoint) -> Any:
    """The modules that the export takes from the checkpoint, too, so that both compute the same vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    transformer = Transformer(str(checkpoint.folder), max_seq_length=checkpoint.max_tokens)
    modules = [transformer, Pooling(transformer.get_embedding_dimension(), pooling_mode=checkpoint.pooling)]
    modules += [Dense.load(str(layer.weights.parent)) for layer in checkpoint.dense]
    modules += [Normalize()] if checkpoint.normalize else []
    prompts = {role: prompt for role, prompt in checkpoint.prompts.items() if prompt}
    return SentenceTransformer(modules=modules, device=device(), prompts=prompts or None)


def cached(
    folder: Path, state: str, texts: Sequence[str], compute: Callable[[Sequence[str]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Vectors of texts, float32 ``[texts, dimension]``; a run that was killed left the first ones in files.

    Args:
        folder: has the files, one for some hundred texts.
        state: of the model: its vectors are kept apart.
        texts: to embed.
        compute: embeds texts that no file has.
    """
    blocks = []
    for start in range(0, len(texts), _TEXTS_PER_FILE):
        block = texts[start : start + _TEXTS_PER_FILE]
        digest = hashlib.sha256("\0".join(block).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        file = folder / f"{state}-{digest}.npy"
        if not file.is_file():
            scratch = file.with_suffix(".tmp.npy")
            np.save(scratch, compute(block))
            scratch.replace(file)
        blocks.append(np.load(file))
    return np.concatenate(blocks)
