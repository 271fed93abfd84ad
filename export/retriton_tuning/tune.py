"""Tunes an encoder or a cross-encoder: splits, trains, interpolates, tests, and writes a checkpoint with its report."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from retriton_export import Checkpoint
from retriton_pipeline.vectors import cosine_spread
from retriton_tuning import interpolation, pairs, synthetic, unlabelled
from retriton_tuning.bm25 import bm25_run
from retriton_tuning.errors import InvalidData, TooLittleData
from retriton_tuning.fusion import FIXED_WEIGHT, Fusion, hybrid, learned_weight
from retriton_tuning.labels import Labels, Pair, Task
from retriton_tuning.measures import Run, score
from retriton_tuning.models import DEPTH, EncoderModel, RankingModel, cached, digest_of, load, nearest, weights_of
from retriton_tuning.outcome import Outcome, Settings
from retriton_tuning.splitting import Split, split
from retriton_tuning.tasks import candidates_of, guard_tasks, of_queries, smaller
from retriton_tuning.training import OnStep, Recipe, train
from retriton_tuning.verdict import Guard, judge

_PAIRS_MIN = 8
_LOG_MAX = 2000
_AGREEMENT = 0.5  # weight of dense scores where logged queries are searched: both searches count the same
_CHANCE = 3.0  # times the expectation of random labels
Generate = Callable[[Mapping[str, str], Path], Sequence[Pair]]
Judge = Callable[[Mapping[str, str], Sequence[Run], Mapping[str, str], Path], Mapping[str, Mapping[str, int]]]
"""Judges results: queries, rankings, passages, and a file to resume from; gives grades by query."""


class Tuning:
    """One run of tuning. `run` does everything; a killed run continues from ``work``.

    Args:
        checkpoint: the original.
        labels: the collection.
        settings: what to do.
        work: folder for what a later run continues from.
        on_step: receives a description of each step when it begins.
        generate: makes pairs with an LLM; None without one.
        judge_results: asks which results are relevant, where nothing is labelled; None: nobody is asked.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        labels: Labels,
        settings: Settings,
        work: Path,
        on_step: OnStep = lambda step: None,
        generate: Generate | None = None,
        judge_results: Judge | None = None,
    ) -> None:
        self._start = time.monotonic()
        self._labels, self._settings, self._on_step = labels, settings, on_step
        self._generate, self._judge = generate, judge_results
        self._checkpoint = checkpoint
        self._source = settings.source or self._best_source()
        self._work = _opened(work, self._identity(checkpoint))
        self._notes: list[str] = list(labels.dropped)
        on_step("loading the original model")
        self.ranking: RankingModel = load(checkpoint)
        self._base = weights_of(self.ranking)
        self._tuned = ""  # names the vectors of the tuned model
        self._spreads: dict[str, float | None] = {}

    def run(self) -> Outcome:
        """Tunes; afterwards `ranking` has the weights to write.

        Raises:
            TooLittleData: there is too little to train on, or to test with.
        """
        divided = self._split()
        self._on_step(f"{self._labels.name}: {len(self._labels.passages)} passages, {divided.sizes}")
        self._on_step("searching with BM25")
        log = self._log()
        self._queries = {**self._labels.queries, **log}
        self._bm25 = bm25_run(self._labels.passages, self._queries, DEPTH)
        return self._run(divided)

    def _run(self, divided: Split) -> Outcome:
        labels = self._labels
        held_out = pairs.held_out_passages(labels, divided)
        test = self._task("test", divided.queries["test"])
        self._on_step("measuring the original model")
        before = self._rank_all(test, "before")
        examples, learned = self._pairs(divided, held_out)
        recipe = Recipe.choose(
            len(examples),
            self._checkpoint.is_cross_encoder,
            sum(value.numel() for value in self._base.values()),
            **{"seed": self._settings.seed, **self._settings.recipe},
        )
        if wanted := recipe.hard_negatives or int(any(pair.negatives for pair in examples)):
            self._on_step(f"mining {wanted} negatives for each pair")
            dense = self._rank_all(self._task("train", divided.queries["train"]), "before")
            examples = pairs.with_negatives(examples, labels, dense, held_out, wanted, self._settings.seed)
        validation = self._validation(divided, examples)
        examples = [pair for pair in examples if pair.query not in set(validation.queries.values())]
        self._check_pairs(examples)
        self._on_step(f"training on {len(examples)} pairs from {self._source}: {_describe(recipe)}")
        history = train(self.ranking, examples, recipe, validation, self._work / "checkpoints", self._on_step)
        chosen, points, guards = self._interpolate(validation, recipe)
        return self._finish(divided, test, before, chosen, points, guards, history, recipe, len(examples), learned)

    def _finish(
        self,
        divided: Split,
        test: Task,
        before: Run,
        chosen: interpolation.Interpolation,
        points: Sequence[interpolation.Interpolation],
        guard_tasks: Sequence[Task],
        history: Sequence[float],
        recipe: Recipe,
        count: int,
        learned: Task,
    ) -> Outcome:
        guards = tuple(
            Guard(task.name, float(old.ndcg.mean()), float(new.ndcg.mean()))
            for task, old, new in zip(guard_tasks, points[0].guards, chosen.guards, strict=True)
        )
        groups = [divided.groups.get(query, n) for n, query in enumerate(test.queries)]
        if self._judge and not test.queries:
            test, before, after, groups = self._judged(self._judge)
        else:
            self._on_step("measuring the tuned model")
            after = before if chosen.alpha == 0 else self._rank_all(test, self._tuned)
        verdict = fusion = None
        if test.queries:
            bm25 = of_queries(self._bm25, test.queries)
            verdict = judge(
                score(test, before),
                score(test, after),
                groups,
                guards,
                self._settings.guard_loss_max,
                _doubts(test, before, bm25),
            )
            if not self._checkpoint.is_cross_encoder:
                self._on_step("learning the weight of the fusion")
                fusion = self._fusion(learned, test, before, after, bm25)
        else:
            self._notes.append(
                "no query is judged, so nothing shows whether the tuned model is better: judge at least 30 of your own "
                "queries with --judge 30, or compare both models yourself"
            )
        return Outcome(
            self._labels, divided, self._source, recipe, count, verdict, guards, chosen.alpha, points, history, fusion,
            test, [*divided.notes, *self._notes], time.monotonic() - self._start,
        )  # fmt: skip

    def _interpolate(
        self, validation: Task, recipe: Recipe
    ) -> tuple[interpolation.Interpolation, list[interpolation.Interpolation], list[Task]]:
        """Chooses the weights, and gives them to the model."""
        guards = guard_tasks(self._settings.guards, self._settings.seed, self._checkpoint.is_cross_encoder)
        line = interpolation.Line(self.ranking, self._base, weights_of(self.ranking))
        chosen, points = line.choose(
            validation, guards, self._settings.guard_loss_max, recipe.tokens_max, self._on_step
        )
        if refused := ", ".join(self._refused([point for point in points if point is not chosen], points[0], guards)):
            self._notes.append(
                "shares of the tuned weights that are better on the validation part, but lose more than "
                f"{100 * self._settings.guard_loss_max:g} points of nDCG@10 on a guard set: {refused}"
            )
        self._tuned = f"after-{digest_of(weights_of(self.ranking))}"
        return chosen, points, guards

    def _refused(
        self, points: Sequence[interpolation.Interpolation], original: interpolation.Interpolation, guards: list[Task]
    ) -> Iterator[str]:
        """The shares that do not hold a guard, with its name and its change in points."""
        for point in points:
            for guard, loss in zip(guards, interpolation.losses(point, original), strict=False):  # or not measured
                if loss > self._settings.guard_loss_max:
                    yield f"{point.alpha:g} ({guard.name} {-100 * loss:+.1f})"

    def _log(self) -> dict[str, str]:
        """Logged queries by id, where they are needed; random ones of many."""
        if self._source != "queries" and (self._labels.queries or not self._judge):
            return {}
        texts = list(self._labels.unlabelled)
        random.Random(self._settings.seed).shuffle(texts)  # noqa: S311
        return {f"log{number}": text for number, text in enumerate(texts[:_LOG_MAX])}

    def _split(self) -> Split:
        if self._labels.queries:
            return split(self._labels, self._settings.seed)
        return Split({"train": [], "validation": [], "test": []}, {})

    def _best_source(self) -> str:
        if self._labels.queries:
            return "labels"
        if self._generate:
            return "llm"
        return "queries" if self._labels.unlabelled else "documents"

    def _pairs(self, divided: Split, held_out: Any) -> tuple[list[Pair], Task]:
        """Training pairs, and the queries that the fusion is learned on."""
        labels = self._labels
        learned = self._task("train", [*divided.queries["train"], *divided.queries["validation"]])
        if self._source == "labels":
            return pairs.labelled_pairs(labels, divided), learned
        learned = self._task("validation", divided.queries["validation"])
        if self._source == "documents":
            made = unlabelled.pairs_of_documents(labels.passages, held_out, self._settings.seed)
        elif self._source == "queries":
            made = self._of_queries(divided, held_out)
        elif self._generate:
            rest = {key: text for key, text in labels.passages.items() if key not in held_out}
            made = self._leading_back(self._generate(rest, self._work / "synthetic.jsonl"))
        else:
            raise InvalidData("source llm needs an LLM: --llm-url and --llm-model")
        return made, learned

    def _of_queries(self, divided: Split, held_out: Any) -> list[Pair]:
        """Pairs of logged queries; those of the training part count as logged, without their labels."""
        queries = {key: text for key, text in self._queries.items() if key not in self._labels.queries}
        queries |= {query: self._labels.queries[query] for query in divided.queries["train"]}
        if not queries:
            raise InvalidData("source queries needs a log of queries: --queries FILE")
        self._on_step(f"searching for {len(queries)} logged queries")
        task = Task("log", queries, self._labels.passages, {})
        found = of_queries(self._bm25, queries)
        fused = (
            found
            if self._checkpoint.is_cross_encoder
            else hybrid(self._rank_all(task, "before"), found, _AGREEMENT, None)
        )
        return unlabelled.pairs_of_queries(queries, fused, self._labels, held_out)

    def _leading_back(self, made: Sequence[Pair]) -> list[Pair]:
        """Synthetic pairs whose query leads back to its passage."""
        queries = {f"made{number}": pair.query for number, pair in enumerate(made)}
        task = Task("made", queries, self._labels.passages, {})
        found = bm25_run(task.passages, queries, DEPTH)
        if not self._checkpoint.is_cross_encoder:
            found = hybrid(self._rank_all(task, "before"), found, _AGREEMENT, None)
        kept = synthetic.leads_back(made, list(queries), found, task.passages)
        self._notes.append(f"{len(kept)} of {len(made)} synthetic queries lead back to their passage")
        return kept

    def _validation(self, divided: Split, examples: Sequence[Pair]) -> Task:
        """Judged queries to choose with, or where there are none some of the made pairs, over some of the passages."""
        if divided.queries["validation"]:
            full = self._task("validation", divided.queries["validation"])
        else:
            full = self._of_pairs(examples)
        found = of_queries(self._bm25, full.queries)
        return smaller(full, found, self._settings.seed, self._checkpoint.is_cross_encoder)

    def _of_pairs(self, examples: Sequence[Pair]) -> Task:
        ids = {text: key for key, text in self._labels.passages.items()}
        kept = examples[:: max(1, len(examples) // 50)][: max(1, len(examples) // 8)]
        queries = {f"made{n}": pair.query for n, pair in enumerate(kept)}
        keys = {f"made{n}": ids.get(pair.passage, f"made{n}") for n, pair in enumerate(kept)}
        passages = {**self._labels.passages, **{keys[f"made{n}"]: pair.passage for n, pair in enumerate(kept)}}
        return Task("validation", queries, passages, {query: {key: 1} for query, key in keys.items()})

    def _task(self, name: str, queries: Sequence[str]) -> Task:
        texts = {query: self._labels.queries[query] for query in queries}
        task = Task(name, texts, self._labels.passages, {query: self._labels.relevant[query] for query in queries})
        return candidates_of(task, self._bm25) if self._checkpoint.is_cross_encoder else task

    def _rank_all(self, task: Task, state: str) -> Run:
        """Ranks all passages, whose vectors are kept for other tasks and for a later run; nothing without queries."""
        if not task.queries:
            return {}
        if not isinstance(self.ranking, EncoderModel):
            return self.ranking.rank(task)
        model, texts = self.ranking, list(task.passages.values())
        passages = cached(self._work, state, texts, lambda block: model.embed(block, "passage"))
        self._spreads[state] = cosine_spread(passages)
        return nearest(task, model.embed(list(task.queries.values()), "query"), passages)

    def _judged(self, judge_results: Judge) -> tuple[Task, Run, Run, list[int]]:
        """Asks which results of both models and of BM25 are relevant."""
        queries = {key: text for key, text in self._queries.items() if key not in self._labels.queries}
        log = Task("log", queries, self._labels.passages, {})
        tuned = weights_of(self.ranking)
        after = self._rank_all(log, self._tuned)
        interpolation.set_weights(self.ranking, self._base, self._base, 0.0)
        before = self._rank_all(log, "before")
        interpolation.set_weights(self.ranking, tuned, tuned, 0.0)
        runs = [before, after, of_queries(self._bm25, queries)]
        relevant = judge_results(queries, runs, self._labels.passages, self._work / "judgements.jsonl")
        test = Task("test", {key: queries[key] for key in relevant}, self._labels.passages, relevant)
        return test, of_queries(before, relevant), of_queries(after, relevant), list(range(len(relevant)))

    def _fusion(self, learned: Task, test: Task, before: Run, after: Run, bm25: Run) -> Fusion:
        """Learns the weight on queries that are not in the test part."""
        weight, state = FIXED_WEIGHT, self._tuned if after is not before else "before"
        if learned.queries:
            dense = self._rank_all(learned, state)
            weight = learned_weight(learned, dense, of_queries(self._bm25, learned.queries), self._spreads[state])
        old, new = self._spreads["before"], self._spreads[state]
        return Fusion(
            weight,
            score(test, hybrid(before, bm25, FIXED_WEIGHT, old)),
            score(test, hybrid(after, bm25, weight, new)),
            score(test, hybrid(after, bm25, FIXED_WEIGHT, new)),
            score(test, bm25),
        )

    def _check_pairs(self, examples: Sequence[Pair]) -> None:
        if len(examples) < _PAIRS_MIN:
            raise TooLittleData(
                f"{len(examples)} training pairs remain from {self._source}, at least {_PAIRS_MIN} are needed: "
                "add labels, queries or documents"
            )

    def _identity(self, checkpoint: Checkpoint) -> str:
        """A digest of what determines the result, so that only the same run is continued."""
        settings = {**asdict(self._settings), "source": self._source}
        parts = [self._labels.digest(), checkpoint.fingerprint(checkpoint.file_sums()), settings]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _opened(work: Path, identity: str) -> Path:
    """The folder of the same run that was killed, or an empty one."""
    mark = work / "identity"
    if mark.is_file() and mark.read_text(encoding="utf-8") == identity:
        return work
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    mark.write_text(identity, encoding="utf-8")
    return work


def _doubts(test: Task, dense: Run, bm25: Run) -> list[str]:
    """Labels that neither the original model nor BM25 finds better than chance are wrong, such as shuffled ones."""
    best = max(float(score(test, run).recall.mean()) for run in (dense, bm25))
    chance = min(1.0, 5 / len(test.passages))
    if len(test.passages) >= 100 and best < max(_CHANCE * chance, 0.02):
        return [
            f"the labels look wrong: among the first five passages the original model and BM25 find {100 * best:.1f} % "
            f"of the relevant ones, random labels give {100 * chance:.1f} %"
        ]
    return []


def _describe(recipe: Recipe) -> str:
    return f"{recipe.epochs} epochs, batches of {recipe.batch}, learning rate {recipe.learning_rate:g}"
