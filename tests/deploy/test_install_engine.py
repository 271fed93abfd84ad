"""The init container of the overlay `gpu`, with an export of our own instead of TensorRT."""

from __future__ import annotations

import importlib.util
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT, copy_repository
from tests.deploy import commands


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_engine", ROOT / "deploy/containers/install_engine.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def export(repository: Path) -> None:
    """Builds a plan where there is none, and counts."""
    plan = repository / "encoder" / "1" / "model_sm90.plan"
    if not plan.exists():
        time.sleep(0.3)
        plan.write_text("plan")
        with (repository.parent / "builds").open("a") as builds:
            builds.write("1\n")


def install(sources: Path, cached: Path, target: Path) -> None:
    load().install(sources, cached, target, export)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return copy_repository(tmp_path / "sources")


def test_many_pods_build_once(sources: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with ThreadPoolExecutor() as pods:  # locks of a file hold between threads as between machines
        copies = [pods.submit(install, sources, cache / "gpu", tmp_path / f"pod{number}") for number in range(3)]
    for copy in copies:
        copy.result()
    assert (cache / "builds").read_text() == "1\n"
    for number in range(3):
        served = tmp_path / f"pod{number}" / "encoder"
        assert (served / "1" / "model_sm90.plan").read_text() == "plan"
        assert (served / "configs" / "tensorrt.pbtxt").exists()


def test_what_was_exported_elsewhere_is_not_taken_along(sources: Path, tmp_path: Path) -> None:
    (sources / "encoder" / "1" / "model.onnx").touch()
    (tmp_path / "cache").mkdir()
    install(sources, tmp_path / "cache" / "gpu", tmp_path / "pod")
    assert sorted(file.name for file in (tmp_path / "pod/encoder/1").iterdir()) == ["model.py", "model_sm90.plan"]


def test_types_of_gpus_and_versions_have_folders_of_their_own() -> None:
    name = load().folder_name
    slice_ = name("intfloat/e5-large", "fp16", "NVIDIA H100 80GB HBM3 MIG 1g.10gb 16 SM", "tensorrt 10.13.3.9")
    whole = name("intfloat/e5-large", "fp16", "NVIDIA H100 80GB HBM3 132 SM", "tensorrt 10.13.3.9")
    assert slice_ != whole
    assert whole == "intfloat-e5-large_fp16_NVIDIA-H100-80GB-HBM3-132-SM_tensorrt-10.13.3.9"


@pytest.mark.parametrize("checkpoint", ["", "intfloat/e5-large-unsupervised"])
def test_the_export_is_a_command_of_ours(checkpoint: str) -> None:
    command = load().export_command(Path("/cache/gpu"), checkpoint, "fp16")
    assert commands.problem(command[1:]) == ""
    assert "--if-missing" in command
