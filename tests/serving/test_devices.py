from __future__ import annotations

from pathlib import Path

import pytest

from retriton_serving.engines.devices import NoDevice, chosen_devices, visible_gpus


@pytest.mark.parametrize(
    ("setting", "gpus", "devices"),
    [
        ("", 0, ("cpu",)),
        ("auto", 2, ("cuda:0", "cuda:1")),
        ("cpu", 2, ("cpu",)),
        ("cuda", 2, ("cuda:0", "cuda:1")),
        ("cuda:1", 2, ("cuda:1",)),
        ("cuda:1, cuda:0,cuda:1", 2, ("cuda:1", "cuda:0")),
        ("cpu:0,cpu:1", 0, ("cpu:0", "cpu:1")),
    ],
)
def test_devices_are_those_that_are_named_or_all_gpus(setting: str, gpus: int, devices: tuple[str, ...]) -> None:
    assert chosen_devices(gpus, {"RETRITON_DEVICES": setting}) == devices


@pytest.mark.parametrize("setting", ["cuda", "cuda:0", "cuda:2"])
def test_a_gpu_that_is_named_and_missing_is_an_error_and_not_the_cpu(setting: str) -> None:
    with pytest.raises(NoDevice, match=r"names cuda:[02], and this engine finds 0 GPUs.*RETRITON_DEVICES=cpu"):
        chosen_devices(0, {"RETRITON_DEVICES": setting})


@pytest.mark.parametrize("setting", ["gpu", "cuda:", "cuda:x", "cuda:0,,cuda:1"])
def test_a_setting_that_names_no_device_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="auto, cpu, cuda"):
        chosen_devices(2, {"RETRITON_DEVICES": setting})


def test_gpus_are_counted_by_their_device_files_as_far_as_they_are_visible(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert visible_gpus({}, tmp_path) == 2
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "1"}, tmp_path) == 1
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == 0
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "-1"}, tmp_path) == 0
