"""`retriton tune` with a tiny encoder: better, not better, killed, and without labels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from retriton_export import Checkpoint, NotAccepted
from retriton_tuning import InvalidData, Settings, Tuning, read_labels
from retriton_tuning.writing import check_output, work_of, write
from tests.chat_endpoint import Says, chat_endpoint
from tests.tuning.domain import write_domain, write_pairs

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


@pytest.mark.slow
def test_synthetic_queries_are_tested_on_judged_ones(base: Path, tmp_path: Path) -> None:
    """An endpoint that answers with words of the first passage: only queries that lead back remain."""
    data = write_domain(tmp_path / "domain", 100)
    labels = read_labels(data)
    with chat_endpoint(Says((" ".join(next(iter(labels.passages.values())).split()[:3]) + "\n",))) as endpoint:
        arguments = (data, "--base", base, "--output", tmp_path / "tuned", "--source", "llm", *RECIPE)
        code, _, errors = tune(*arguments, "--llm-url", endpoint.url, "--llm-model", "m")
        assert code == 1
        assert "training pairs remain from llm, at least 8 are needed" in errors
        asked = len(endpoint.asked)
        assert f"{asked} requests to the LLM, about" in errors
        tune(*arguments, "--llm-url", endpoint.url, "--llm-model", "m")
        assert len(endpoint.asked) == asked  # the answers of the first run are used
