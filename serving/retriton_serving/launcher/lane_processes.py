"""In how many processes each lane runs, and the model repository in which Triton reads that.

A lane is a Python process, which computes on one core at a time. The parameter ``processes`` of its configuration is
how many it has: a number, or ``cores/N`` for one on every N cores, where the engine leaves the cores to the lanes.
Triton has no such expressions, so it serves a copy of the configuration in which the number is the count of instances.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.models import LANES
from retriton_serving.contract.variables import LANE_PROCESSES
from retriton_serving.launcher.errors import LaunchError

_PARAMETER = re.compile(r'key:\s*"processes"\s+value:\s*\{\s*string_value:\s*"([^"]*)"')
_INSTANCES = re.compile(r"(instance_group\s*\[\s*\{[^}]*?\bcount:\s*)(\d+)")
_PROCESSES_MAX = 16  # of a lane: each has its own tokenizer, and costs about 60 MB
_FOLDER = "model_repository"


def lane_processes(repository: Path, variant: str | None = None) -> dict[str, int]:
    """The number of processes of each lane in ``repository``; RETRITON_LANE_PROCESSES overrides the parameter.

    A lane whose configuration has no such parameter has as many as the configuration has instances.

    Raises:
        LaunchError: a configuration is missing, or a number cannot be read or is out of range.
    """
    return {lane: _processes(config_file(repository, lane, variant)) for lane in LANES}


def with_processes(repository: Path, processes: dict[str, int], variant: str | None, folder: Path) -> Path:
    """The repository that Triton serves: ``repository`` itself, or one in ``folder`` with other counts of instances.

    The latter consists of links, except for the configurations that differ.
    """
    counts = {lane: _INSTANCES.search(_read(config_file(repository, lane, variant))) for lane in processes}
    changed = {lane for lane, found in counts.items() if found and int(found[2]) != processes[lane]}
    if not changed:
        return repository
    view = folder / _FOLDER
    for model in repository.resolve().iterdir():
        if model.name not in changed:
            (view / model.name).parent.mkdir(exist_ok=True)
            (view / model.name).symlink_to(model)
            continue
        (view / model.name).mkdir(parents=True)
        for part in model.iterdir():
            if part.name not in ("config.pbtxt", "configs"):
                (view / model.name / part.name).symlink_to(part)
        config = _read(config_file(repository, model.name, variant))
        (view / model.name / "config.pbtxt").write_text(
            _INSTANCES.sub(rf"\g<1>{processes[model.name]}", config), encoding="utf-8"
        )
    return view


def config_file(repository: Path, model: str, variant: str | None) -> Path:
    """The configuration of a model that Triton takes: that of the variant, where the model has one."""
    config = repository / model / "configs" / f"{variant}.pbtxt"
    return config if variant and config.is_file() else repository / model / "config.pbtxt"


def _processes(config: Path) -> int:
    text = _read(config)
    parameter, instances = _PARAMETER.search(text), _INSTANCES.search(text)
    written = parameter[1] if parameter else instances[2] if instances else "1"
    if parameter and os.environ.get(LANE_PROCESSES):
        written, config = os.environ[LANE_PROCESSES], Path(LANE_PROCESSES)
    try:
        number = _number(written)
    except (ValueError, ZeroDivisionError):
        raise LaunchError(f'{config}: the processes of a lane are {written!r}, not a number or "cores/4"') from None
    if not 1 <= number <= _PROCESSES_MAX:
        raise LaunchError(f"{config}: a lane has 1 to {_PROCESSES_MAX} processes, not {number}")
    return number


def _number(written: str) -> int:
    if not written.startswith("cores/"):
        return int(written)
    return max(1, min(_PROCESSES_MAX, usable_cores() // int(written.removeprefix("cores/"))))


def _read(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8")
    except OSError as error:
        raise LaunchError(f"{config} cannot be read: {error}") from None
