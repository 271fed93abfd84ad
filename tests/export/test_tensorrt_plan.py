"""What can be checked of the TensorRT path without TensorRT."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from retriton_export import Checkpoint, ExportError, Recipe, export_encoder
from retriton_export.graph import INPUTS, OUTPUT, export_onnx, load_encoder
from retriton_export.tensorrt_plan import OPERATORS, lane_limits, plan_file, profiles, unsupported_operators
from tests.conftest import ROOT, copy_repository
from tests.export.checkpoints import FAMILIES, tiny_bert

pytestmark = pytest.mark.slow

REPOSITORY = ROOT / "model_repository"


@pytest.mark.parametrize("tokens_max", [48, 256, 512])
def test_the_profiles_cover_every_micro_batch_of_both_lanes(tokens_max: int) -> None:
    limits = [lane_limits(REPOSITORY / f"embed_{role}") for role in ("query", "passage")]
    (query_tokens, texts_max), (passage_tokens, _) = limits
    both = profiles(query_tokens, passage_tokens, texts_max, tokens_max)
    for tokens, texts in limits:
        for length in range(1, tokens_max + 1):
            shape = (max(1, min(texts, tokens // length)), length)
            assert any(all(size <= most for size, most in zip(shape, profile.largest, strict=True)) for profile in both)
    for profile in both:
        for low, usual, high in zip(profile.smallest, profile.usual, profile.largest, strict=True):
            assert low <= usual <= high


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("half", [False, True])
def test_the_graphs_have_no_operator_that_tensorrt_does_not_take(tmp_path: Path, family: str, half: bool) -> None:
    encoder = load_encoder(Checkpoint.read(str(tiny_bert(tmp_path / "tiny", family=family))))
    export_onnx(encoder, tmp_path / "model.onnx", INPUTS, OUTPUT)
    if half:
        Recipe("tensorrt", "fp16").build(tmp_path, list)
    assert unsupported_operators(tmp_path / "model.onnx") == set()


def test_operators_that_are_missing_are_named(tmp_path: Path) -> None:
    encoder = load_encoder(Checkpoint.read(str(tiny_bert(tmp_path / "tiny"))))
    export_onnx(encoder, tmp_path / "model.onnx", INPUTS, OUTPUT)
    assert "MatMul" in OPERATORS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retriton_export.tensorrt_plan.OPERATORS", OPERATORS - {"MatMul"})
        assert unsupported_operators(tmp_path / "model.onnx") == {"MatMul"}


def test_triton_knows_the_plans_by_the_names_that_the_export_gives() -> None:
    config = text_format.Parse((REPOSITORY / "encoder/configs/tensorrt.pbtxt").read_text(), ModelConfig())
    for capability, name in config.cc_model_filenames.items():
        major, minor = map(int, capability.split("."))
        assert plan_file((major, minor)) == name
    assert "9.0" in config.cc_model_filenames


def test_without_tensorrt_the_installed_encoder_stays(tmp_path: Path) -> None:
    try:
        import tensorrt  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("tensorrt is installed here")
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny")))
    export_encoder(checkpoint, repository, Recipe("onnxruntime", "fp32"))
    with pytest.raises(ExportError, match="pip install tensorrt"):
        export_encoder(checkpoint, repository, Recipe("tensorrt", "fp16"))
    assert (repository / "encoder/1/model.onnx").exists()
