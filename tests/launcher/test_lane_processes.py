"""How many processes a lane has, and the repository in which Triton reads that."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.variables import LANE_PROCESSES
from retriton_serving.launcher import LaunchError
from retriton_serving.launcher.lane_processes import lane_processes, with_processes
from tests.conftest import copy_repository


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(LANE_PROCESSES, raising=False)
    return copy_repository(tmp_path / "sources")


def served(sources: Path, variant: str | None, folder: Path) -> Path:
    folder.mkdir()
    return with_processes(sources, lane_processes(sources, variant), variant, folder)


def test_on_a_cpu_each_lane_is_one_process_and_the_repository_is_served_as_it_is(sources: Path, tmp_path: Path) -> None:
    assert set(lane_processes(sources).values()) == {1}
    assert served(sources, None, tmp_path / "scratch") == sources


def test_the_setting_overrides(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANE_PROCESSES, "3")
    assert lane_processes(sources) == {"embed_query": 3, "embed_passage": 3, "rerank": 1}
    view = served(sources, None, tmp_path / "scratch")
    assert {model.name for model in view.iterdir()} == {model.name for model in sources.iterdir()}
    for lane in ("embed_query", "embed_passage"):
        config = text_format.Parse((view / lane / "config.pbtxt").read_text(), ModelConfig())
        expected = text_format.Parse((sources / lane / "config.pbtxt").read_text(), ModelConfig())
        expected.instance_group[0].count = 3
        assert config == expected
        assert (view / lane / "1" / "model.py").samefile(sources / lane / "1" / "model.py")
    assert (view / "encoder").samefile(sources / "encoder")


def test_the_number_may_follow_the_cores(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANE_PROCESSES, "cores/4")
    assert lane_processes(sources, "tensorrt")["embed_query"] == max(1, usable_cores() // 4)
    monkeypatch.setattr("retriton_serving.launcher.lane_processes.usable_cores", lambda: 17)
    assert lane_processes(sources, "tensorrt") == {"embed_query": 4, "embed_passage": 4, "rerank": 1}
    view = served(sources, "tensorrt", tmp_path / "scratch")
    config = text_format.Parse((view / "embed_passage" / "config.pbtxt").read_text(), ModelConfig())
    assert config.instance_group[0].count == 4
    assert config.parameters["batch_tokens_max"].string_value == "8192"  # that of the variant


def test_instances_that_a_configuration_names_itself_are_kept(sources: Path, tmp_path: Path) -> None:
    rerank = sources / "rerank" / "config.pbtxt"
    rerank.write_text(rerank.read_text().replace("count: 1", "count: 2"))
    assert lane_processes(sources)["rerank"] == 2
    assert served(sources, None, tmp_path / "scratch") == sources


@pytest.mark.parametrize("wrong", ["0", "17", "many", "cores/0", "cores/x", "-1"])
def test_a_wrong_number_is_named(sources: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv(LANE_PROCESSES, wrong)
    with pytest.raises(LaunchError, match="RETRITON_LANE_PROCESSES: .*processes"):
        lane_processes(sources)
