"""Writes the tuned checkpoint with its report, in place of an earlier one."""

from __future__ import annotations

import shutil
from pathlib import Path

from retriton_export.checkpoint import TUNING_FILE
from retriton_tuning.errors import InvalidData
from retriton_tuning.models import RankingModel
from retriton_tuning.outcome import Outcome
from retriton_tuning.report import write_report


def check_output(output: Path) -> None:
    """Raises `InvalidData` if a folder exists that tuning did not write."""
    if output.exists() and not (output / TUNING_FILE).is_file() and (not output.is_dir() or any(output.iterdir())):
        raise InvalidData(f"{output} exists and is no tuned checkpoint: name another folder with --output")


def work_of(output: Path) -> Path:
    """The folder that a killed run is continued from."""
    return output.absolute().with_name(f".{output.absolute().name}.work")


def write(outcome: Outcome, ranking: RankingModel, output: Path) -> None:
    """Writes the checkpoint, and deletes what a killed run would have needed."""
    work = work_of(output)
    scratch = work / "checkpoint"
    shutil.rmtree(scratch, ignore_errors=True)
    ranking.model.save_pretrained(str(scratch), create_model_card=False)
    write_report(outcome, scratch, ranking.checkpoint.name)
    if output.exists():
        shutil.rmtree(output)
    scratch.replace(output)
    shutil.rmtree(work)
