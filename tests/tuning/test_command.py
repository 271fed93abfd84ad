"""`retriton tune` with a tiny encoder: better, not better, killed, and without labels."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from retriton_export import Checkpoint, NotAccepted
from retriton_pipeline.generation import LLM
from retriton_tuning import InvalidData, Labels, Pair, Settings, TooLittleData, Tuning, read_labels
from retriton_tuning.judging import judge_queries
from retriton_tuning.synthetic import generate
from retriton_tuning.writing import check_output, work_of, write
from tests.chat_endpoint import Says, chat_endpoint
from tests.export.checkpoints import tiny_cross_encoder
from tests.tuning.domain import query_for, write_domain, write_pairs

RECIPE = ("--learning-rate", "3e-3", "--epochs", "6", "--guard-loss", "100")  # the tiny encoder knows nothing to forget
KEYS = ["before", "after", "p", "queries", "guard", "alpha", "fusion", "accepted", "seconds"]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "retriton", "tune", *map(str, arguments)]


def tune(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """The exit code, the last line, and standard error."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(*arguments, "--json"), capture_output=True, text=True, env=environment, timeout=280)
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


@pytest.mark.slow
def test_a_killed_run_continues_and_becomes_better(base: Path, tmp_path: Path) -> None:
    data, output = write_domain(tmp_path / "domain", 300), tmp_path / "tuned"
    arguments = (data, "--base", base, "--output", output, *RECIPE)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command(*arguments, "--json"), stderr=subprocess.PIPE, text=True, env=environment) as running:
        while not list(work_of(output).glob("checkpoints/checkpoint-*/trainer_state.json")):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
    assert not output.exists()
    code, result, errors = tune(*arguments)
    assert "continuing from step" in errors
    assert code == 0, errors
    assert list(result) == KEYS
    assert result["accepted"]
    assert result["after"]["ndcg@10"] > result["before"]["ndcg@10"] + 0.3
    assert result["p"] < 0.001
    assert result["queries"] == 120
    assert [guard["name"] for guard in result["guard"]] == ["general"]
    assert result["fusion"]["after"] >= max(result["fusion"]["bm25"], result["after"]["ndcg@10"])
    assert not work_of(output).exists()
    card = (output / "README.md").read_text()
    assert "**Accepted.**" in card
    assert "guard: general" in card
    assert (output / "tuning.png").stat().st_size > 1000
    tuned = Checkpoint.read(str(output))
    tuned.check_accepted()
    assert tuned.fingerprint(tuned.file_sums()) != Checkpoint.read(str(base)).fingerprint(
        Checkpoint.read(str(base)).file_sums()
    )


@pytest.mark.slow
def test_shuffled_labels_are_refused(base: Path, tmp_path: Path) -> None:
    data, output = write_domain(tmp_path / "poisoned", 200, shuffled=True), tmp_path / "tuned"
    code, result, errors = tune(data, "--base", base, "--output", output, *RECIPE)
    assert code == 4
    assert not result["accepted"]
    assert "the labels look wrong" in errors
    with pytest.raises(NotAccepted, match="Export it nevertheless with --force"):
        Checkpoint.read(str(output)).check_accepted()


def test_few_pairs_are_told_with_the_numbers(base: Path, tmp_path: Path) -> None:
    labels = read_labels(write_pairs(tmp_path / "pairs.jsonl", 20))
    run = Tuning(Checkpoint.read(str(base)), labels, Settings(), tmp_path / "work")
    outcome = run.run()
    assert not outcome.accepted
    assert outcome.verdict
    assert any("10 test queries are too few" in reason for reason in outcome.verdict.reasons)
    write(outcome, run.ranking, tmp_path / "tuned")
    check_output(tmp_path / "tuned")
    with pytest.raises(InvalidData, match="is no tuned checkpoint"):
        check_output(base)


def test_shares_that_a_guard_refuses_are_named_with_its_change(base: Path, tmp_path: Path) -> None:
    labels = read_labels(write_domain(tmp_path / "domain", 60, others=0))
    settings = Settings(guard_loss_max=-2.0, recipe={"epochs": 6, "learning_rate": 3e-3})  # no guard gains two
    outcome = Tuning(Checkpoint.read(str(base)), labels, settings, tmp_path / "work").run()
    assert outcome.alpha == 0
    assert any(re.search(r"lose more than -200 points .*: .*1 \(general [+-]\d", note) for note in outcome.notes)


def test_synthetic_queries_are_kept_for_a_later_run_and_lead_back(base: Path, tmp_path: Path) -> None:
    """An endpoint that always writes the same query: the first of these remains, and does not lead back."""
    labels = read_labels(write_domain(tmp_path / "domain", 20, others=0))
    first = next(iter(labels.passages.values()))
    steps: list[str] = []
    with chat_endpoint(Says((f"- {' '.join(first.split()[:3])}\n",))) as endpoint:
        llm = LLM(endpoint.url, "m")

        def run() -> None:
            ask = partial(generate, ask=llm.complete, seed=0, on_step=steps.append)
            Tuning(Checkpoint.read(str(base)), labels, Settings("llm"), tmp_path / "work", generate=ask).run()

        with pytest.raises(TooLittleData, match="0 training pairs remain from llm, at least 8 are needed"):
            run()
        asked = len(endpoint.asked)
        assert 8 <= asked <= 12  # what is held out is not shown to the LLM
        assert steps[0].startswith(f"{asked} requests to the LLM, about ")
        with pytest.raises(TooLittleData):
            run()
        assert len(endpoint.asked) == asked
    assert steps[1].startswith("0 requests")


def test_synthetic_queries_train(base: Path, tmp_path: Path) -> None:
    """An LLM that knows the other alphabet, judged by the labels."""
    labels = read_labels(write_domain(tmp_path / "domain", 100, others=20))
    chance = random.Random(3)

    def generated(passages: Mapping[str, str], file: Path) -> list[Pair]:
        async def ask(prompt: str) -> str:
            passage = prompt.rpartition("Passage:\n")[2]
            return "\n".join(query_for(passage, chance) for _ in range(3))

        return generate(passages, file, ask, 0, lambda step: None)

    recipe = {"learning_rate": 3e-3, "epochs": 8}
    settings = Settings("llm", guard_loss_max=1.0, recipe=recipe)
    outcome = Tuning(Checkpoint.read(str(base)), labels, settings, tmp_path / "work", generate=generated).run()
    assert outcome.accepted, outcome.verdict
    assert any("synthetic queries lead back" in note for note in outcome.notes)


def test_without_judged_queries_nothing_is_accepted_unless_someone_judges(base: Path, tmp_path: Path) -> None:
    """Logged queries alone; then the judge names the right passage of each."""
    judged = read_labels(write_domain(tmp_path / "domain", 120, others=0))
    log = Labels("log", judged.passages).with_queries(list(judged.queries.values()))
    truth = {judged.queries[query]: judged.passages[key] for query, grades in judged.relevant.items() for key in grades}
    asked: list[str] = []

    def choose(query: str, passages: Sequence[str]) -> list[int]:
        asked.append(query)
        return [place for place, passage in enumerate(passages) if passage == truth[query]]

    def judge(queries: Any, runs: Any, passages: Any, file: Path) -> Any:
        return judge_queries(queries, runs, passages, 40, file, choose)

    settings = Settings(guard_loss_max=1.0, recipe={"learning_rate": 3e-3, "epochs": 8})
    checkpoint = Checkpoint.read(str(base))
    outcome = Tuning(checkpoint, log, settings, tmp_path / "work").run()
    assert (outcome.source, outcome.verdict, outcome.accepted) == ("queries", None, False)
    assert outcome.as_json()["queries"] == 0
    outcome = Tuning(checkpoint, log, settings, tmp_path / "work", judge_results=judge).run()
    assert outcome.verdict
    assert len(outcome.verdict.before.ndcg) == 40
    assert len(asked) >= 40


def test_a_cross_encoder(tmp_path: Path) -> None:
    labels = read_labels(write_domain(tmp_path / "domain", 60, others=0))
    settings = Settings(guard_loss_max=1.0, recipe={"epochs": 2})
    checkpoint = Checkpoint.read(str(tiny_cross_encoder(tmp_path / "cross")))
    run = Tuning(checkpoint, labels, settings, tmp_path / "work")
    outcome = run.run()
    assert outcome.fusion is None
    assert outcome.recipe.hard_negatives == 4
    write(outcome, run.ranking, tmp_path / "tuned")
    tuned = Checkpoint.read(str(tmp_path / "tuned"))
    assert tuned.is_cross_encoder
    assert tuned.activation == checkpoint.activation
