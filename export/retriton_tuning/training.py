"""Contrastive training on pairs, with sentence-transformers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from retriton_tuning.labels import Pair, Task
from retriton_tuning.measures import NDCG, score
from retriton_tuning.models import RankingModel, device, multiplies_bfloat16

OnStep = Callable[[str], None]
_EVALUATIONS = 4
_STEPS_BETWEEN_MIN = 4
_PATIENCE = 3  # evaluations without a better one
_FEW_PAIRS = 150
_STEPS = 22  # about so many, if one epoch has fewer
_EPOCHS_MAX = 3
_LARGE = 200_000_000  # parameters: activations of 32 pairs of E5-large (335 million) would take 10 GB
_MINI_BATCH_OF_LARGE = 4
_SCALE = 20.0  # inverse temperature of the loss
_MESSAGES = 10


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. `choose` has the defaults, which were measured.

    Attributes:
        learning_rate: the largest one, after warm-up.
        batch: pairs in a batch; every other passage of the batch is a negative.
        epochs: passes over the pairs.
        tokens_max: texts are truncated to so many tokens in training.
        mini_batch: pairs that are computed at once; less than ``batch`` uses the cached loss.
        hard_negatives: mined negatives for each pair.
        matryoshka: shorter dimensions that are trained as well.
        bf16: whether activations are bfloat16.
        activation_checkpointing: whether activations are computed again instead of kept (GPU).
        seed: of all random choices.
    """

    learning_rate: float = 5e-5
    batch: int = 32
    epochs: int = 1
    tokens_max: int = 128
    mini_batch: int = 32
    hard_negatives: int = 0
    matryoshka: tuple[int, ...] = ()
    bf16: bool = False
    activation_checkpointing: bool = False
    seed: int = 0

    @classmethod
    def choose(
        cls, pairs: int, is_cross_encoder: bool = False, parameters: int = 0, on_gpu: bool | None = None, **given: Any
    ) -> Recipe:
        """The default recipe for so many pairs and a model of so many parameters on this machine.

        ``given`` values that are not None replace parts.
        """
        on_gpu = torch.cuda.is_available() if on_gpu is None else on_gpu
        if on_gpu:
            chosen = cls(
                learning_rate=2e-5, batch=256, mini_batch=32, tokens_max=512, hard_negatives=4, bf16=True,
                activation_checkpointing=True,
            )  # fmt: skip
        else:
            chosen = cls(
                batch=32 if pairs >= _FEW_PAIRS else 16,
                mini_batch=32 if parameters < _LARGE else _MINI_BATCH_OF_LARGE,
                bf16=multiplies_bfloat16(),
            )
        values = {**chosen.__dict__, **{key: value for key, value in given.items() if value is not None}}
        values["mini_batch"] = min(values["mini_batch"], values["batch"])
        if is_cross_encoder:
            values |= {
                "hard_negatives": values["hard_negatives"] or 4,
                "learning_rate": given.get("learning_rate") or 2e-5,
            }
        if given.get("epochs") is None:
            steps = max(1, pairs // values["batch"])
            values["epochs"] = min(_EPOCHS_MAX, max(1, round(_STEPS / steps)))
        return cls(**values)


def train(
    ranking: RankingModel, pairs: Sequence[Pair], recipe: Recipe, validation: Task, folder: Path, on_step: OnStep
) -> list[float]:
    """Trains the model in place, and leaves it with the weights that were best on the validation part.

    A run that was killed continues from its last checkpoint in ``folder``.

    Returns:
        nDCG@10 on the validation part, for each evaluation.
    """
    from transformers import EarlyStoppingCallback
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    trainer_class, arguments_class, loss = _parts(ranking, recipe)
    steps = _steps(len(pairs), recipe)
    every = min(steps, max(_STEPS_BETWEEN_MIN, math.ceil(steps / _EVALUATIONS)))
    arguments = arguments_class(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, steps // 10),
        bf16=recipe.bf16,
        **({"activation_checkpointing": True} if recipe.activation_checkpointing else {}),
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{NDCG}",
        greater_is_better=True,
        seed=recipe.seed,
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        dataloader_pin_memory=False,
        use_cpu=device() == "cpu",
        **_sampling(ranking),
    )
    trainer = trainer_class(
        model=ranking.model,
        args=arguments,
        train_dataset=_dataset(ranking, pairs),
        loss=loss,
        evaluator=_validation(ranking, validation, recipe.tokens_max),
        callbacks=[_remaining(steps, on_step), EarlyStoppingCallback(_PATIENCE)],
    )
    for noisy in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(noisy)
    before = ranking.model.max_seq_length
    ranking.model.max_seq_length = min(recipe.tokens_max, before)
    try:
        trainer.train(resume_from_checkpoint=_last_checkpoint(folder))
    finally:
        ranking.model.max_seq_length = before
    ranking.model.eval()
    return [entry[f"eval_{NDCG}"] for entry in trainer.state.log_history if f"eval_{NDCG}" in entry]


def _steps(pairs: int, recipe: Recipe) -> int:
    return max(1, round(pairs * recipe.epochs / recipe.batch))


def _parts(ranking: RankingModel, recipe: Recipe) -> tuple[Any, Any, Any]:
    """The trainer, its arguments' class, and the loss."""
    if ranking.checkpoint.is_cross_encoder:
        from sentence_transformers import CrossEncoderTrainer, CrossEncoderTrainingArguments
        from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

        return CrossEncoderTrainer, CrossEncoderTrainingArguments, BinaryCrossEntropyLoss(ranking.model)
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer import losses

    loss: Any
    if recipe.mini_batch < recipe.batch:
        loss = losses.CachedMultipleNegativesRankingLoss(ranking.model, scale=_SCALE, mini_batch_size=recipe.mini_batch)
    else:
        loss = losses.MultipleNegativesRankingLoss(ranking.model, scale=_SCALE)
    if recipe.matryoshka:
        dimension = ranking.model.get_embedding_dimension()
        loss = losses.MatryoshkaLoss(ranking.model, loss, [dimension, *recipe.matryoshka])
    return SentenceTransformerTrainer, SentenceTransformerTrainingArguments, loss


def _sampling(ranking: RankingModel) -> dict[str, Any]:
    """Arguments for the batches of an encoder: its prompts, and no text twice in a batch."""
    if ranking.checkpoint.is_cross_encoder:
        return {}
    from sentence_transformers.base.sampler import BatchSamplers

    prompts = {role: prompt for role, prompt in ranking.checkpoint.prompts.items() if prompt}
    return {"batch_sampler": BatchSamplers.NO_DUPLICATES, "prompts": prompts or None}


def _dataset(ranking: RankingModel, pairs: Sequence[Pair]) -> Any:
    from datasets import Dataset

    if ranking.checkpoint.is_cross_encoder:
        rows = [(pair.query, pair.passage, 1.0) for pair in pairs]
        rows += [(pair.query, text, 0.0) for pair in pairs for text in pair.negatives]
        return Dataset.from_dict(
            {"query": [r[0] for r in rows], "passage": [r[1] for r in rows], "label": [r[2] for r in rows]}
        )
    columns = {"query": [pair.query for pair in pairs], "passage": [pair.passage for pair in pairs]}
    count = min(len(pair.negatives) for pair in pairs)
    columns |= {f"negative_{n}": [pair.negatives[n] for pair in pairs] for n in range(count)}
    return Dataset.from_dict(columns)


def _last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint: the trainer writes its state last."""
    complete = [file.parent for file in folder.glob("checkpoint-*/trainer_state.json")]
    newest = max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    return str(newest) if newest else None


def _validation(ranking: RankingModel, task: Task, tokens_max: int) -> Any:
    """An evaluator for the trainer: nDCG@10 on the validation part."""
    from sentence_transformers.base.evaluation import BaseEvaluator

    class Validation(BaseEvaluator):  # type: ignore[misc]
        primary_metric = NDCG

        def __call__(self, model: Any, *_: Any, **__: Any) -> dict[str, float]:
            return {NDCG: float(score(task, ranking.rank(task, tokens_max)).ndcg.mean())}

    return Validation()


def _remaining(steps: int, on_step: OnStep) -> Any:
    """A callback that tells the progress and the remaining time."""
    from transformers import TrainerCallback

    class Remaining(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.start, self.first = time.monotonic(), 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.start, self.first = time.monotonic(), state.global_step
            if self.first:
                on_step(f"continuing from step {self.first} of {steps}")

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            done = state.global_step
            if done % max(1, steps // _MESSAGES) == 0 and done < steps:
                left = (time.monotonic() - self.start) / (done - self.first) * (steps - done)
                on_step(f"training: step {done} of {steps}, about {left:.0f} s left")

    return Remaining()
