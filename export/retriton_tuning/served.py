"""Compares the original and the tuned encoder as they are served: by the vectors of their engines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retriton_export import Checkpoint, export_encoder, parity, sample_texts
from retriton_pipeline.vectors import unit
from retriton_serving.batching.padding import Padding
from retriton_serving.batching.tokenization import RoleTokenizer
from retriton_serving.contract.manifest import TOKENIZER_FILE
from retriton_serving.contract.models import EMBEDDING_LANES, ENCODER
from retriton_serving.engines import load_engine
from retriton_tuning.labels import Task
from retriton_tuning.measures import Run, Scores, p_value, score
from retriton_tuning.models import nearest
from retriton_tuning.training import OnStep

Embed = Callable[[Sequence[str], str], NDArray[np.float32]]
_TEXTS_PER_BATCH = 16
_COMPARED = 5  # first hits


@dataclass(frozen=True)
class Comparison:
    """What both engines find for the same queries.

    Attributes:
        before, after: measures of the judged queries.
        p: of a paired randomisation test.
        same: share of the first five hits that both have, over all queries, judged or not.
    """

    before: Scores
    after: Scores
    p: float
    same: float


def compare(original: Checkpoint, tuned: Checkpoint, task: Task, live: Sequence[str], on_step: OnStep) -> Comparison:
    """Exports both through the parity gate, and ranks with their engines.

    Args:
        original: the encoder before.
        tuned: the encoder after.
        task: judged queries, and the passages.
        live: further queries, without judgements.
        on_step: receives a description of each step when it begins.
    """
    every = {**task.queries, **{f"live{number}": text for number, text in enumerate(live)}}
    asked = Task(task.name, every, task.passages, task.relevant)
    before, after = (_ranked(checkpoint, asked, on_step) for checkpoint in (original, tuned))
    shared = [len(_first(before, query) & _first(after, query)) / _COMPARED for query in every]
    old, new = score(task, before), score(task, after)
    return Comparison(old, new, p_value(old.ndcg, new.ndcg), float(np.mean(shared)))


def _first(run: Run, query: str) -> set[str]:
    return set(list(run[query])[:_COMPARED])


def _ranked(checkpoint: Checkpoint, task: Task, on_step: OnStep) -> Run:
    with tempfile.TemporaryDirectory(prefix="retriton-served-") as scratch:
        embed = engine_of(checkpoint, Path(scratch), on_step)
        on_step(f"ranking with the engine of {checkpoint.name}")
        passages = embed(list(task.passages.values()), "passage")
        return nearest(task, embed(list(task.queries.values()), "query"), passages)


def engine_of(checkpoint: Checkpoint, repository: Path, on_step: OnStep) -> Embed:
    """Exports a checkpoint into an empty folder, and gives the function that embeds with its engine."""
    folder = repository / ENCODER / "1"
    folder.mkdir(parents=True)
    manifest, _ = export_encoder(checkpoint, repository, force=True, on_step=on_step)
    spec = manifest.encoder
    engine = parity.embed_with_engine(
        load_engine(folder, manifest.artefact).worker(), Padding(spec.pad_token_id, spec.max_tokens)
    )
    tokenizers = {
        role: RoleTokenizer(folder / TOKENIZER_FILE, spec.prompts[role], spec.max_tokens) for role in EMBEDDING_LANES
    }

    def embed(texts: Sequence[str], role: str) -> NDArray[np.float32]:
        ids = sample_texts.token_ids(tokenizers[role], texts)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        vectors = np.empty((len(ids), spec.dimension), np.float32)
        for start in range(0, len(order), _TEXTS_PER_BATCH):
            places = order[start : start + _TEXTS_PER_BATCH]
            vectors[places] = engine([ids[place] for place in places])
        return unit(vectors)

    return embed
