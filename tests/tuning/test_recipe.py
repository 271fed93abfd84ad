from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from retriton_export import Checkpoint
from retriton_tuning import Pair, read_labels
from retriton_tuning.labels import Task
from retriton_tuning.models import EncoderModel, load, multiplies_bfloat16
from retriton_tuning.training import Recipe, train
from tests.tuning.domain import write_domain

E5_LARGE = 335_000_000


def test_defaults_by_pairs_and_size() -> None:
    def chosen(pairs: int, parameters: int) -> tuple[int, int, int]:
        recipe = Recipe.choose(pairs, parameters=parameters, on_gpu=False)
        return recipe.batch, recipe.mini_batch, recipe.epochs

    assert chosen(1000, 22_000_000) == (32, 32, 1)
    assert chosen(100, 22_000_000) == (16, 16, 3)
    assert chosen(1000, E5_LARGE) == (32, 4, 1)
    assert chosen(100, E5_LARGE) == (16, 4, 3)
    assert Recipe.choose(1000, parameters=E5_LARGE, on_gpu=False, mini_batch=8).mini_batch == 8


def test_parts_of_a_batch_train_the_same_as_the_whole(base: Path, tmp_path: Path) -> None:
    labels = read_labels(write_domain(tmp_path / "domain", 40, others=0))
    passages = {query: labels.passages[key] for query, grades in labels.relevant.items() for key in grades}
    pairs = [Pair(labels.queries[query], text) for query, text in passages.items()]
    task = Task("validation", dict(list(labels.queries.items())[:8]), labels.passages, labels.relevant)
    texts = list(labels.passages.values())
    before = load(Checkpoint.read(str(base))).embed(texts, "passage")  # type: ignore[attr-defined]

    def vectors(mini_batch: int) -> np.ndarray:
        ranking = load(Checkpoint.read(str(base)))
        assert isinstance(ranking, EncoderModel)
        recipe = Recipe(learning_rate=1e-3, batch=8, mini_batch=mini_batch)
        train(ranking, pairs, recipe, task, tmp_path / f"work{mini_batch}", lambda step: None)
        return ranking.embed(texts, "passage")

    whole, parts = vectors(8), vectors(4)
    assert np.abs(whole - before).max() > 0.02
    assert (whole * parts).sum(axis=1).min() > 0.98  # dropout differs


def test_bfloat16_vectors_are_those_of_float32(base: Path) -> None:
    ranking = load(Checkpoint.read(str(base)))
    assert isinstance(ranking, EncoderModel)
    texts = ["one word", "some more words than before", "x"]
    found = ranking.embed(texts, "passage")
    with torch.inference_mode():
        wanted = ranking.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert found.dtype == np.float32
    assert (found * wanted).sum(axis=1).min() > 0.999
    assert multiplies_bfloat16() or np.allclose(found, wanted, atol=1e-6)
