from __future__ import annotations

from packaging.requirements import Requirement

from retriton_serving.launcher.server_packages import TRITON_WHEEL, server_requirements


def names(requirements: list[str]) -> list[str]:
    return [Requirement(requirement).name for requirement in requirements]


def test_an_environment_for_gpus_has_their_engines_and_one_onnx_runtime() -> None:
    cpu, gpu = names(server_requirements("3.12")), names(server_requirements("3.12", gpu=True))
    assert set(gpu) - set(cpu) == {"onnxruntime-gpu", "tensorrt", "torch"}
    assert set(cpu) - set(gpu) == {"onnxruntime"}  # both packages have the same modules


def test_numpy_stays_below_2_and_triton_is_the_last() -> None:
    for gpu in (False, True):
        *packages, triton = server_requirements("3.12", gpu)
        assert "numpy<2" in packages
        assert triton == TRITON_WHEEL
