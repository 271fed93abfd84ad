"""The engine `torch`: the same program, grid and gate on a CPU as on a GPU, without CUDA graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retriton_export import Checkpoint, Recipe, UnsupportedRecipe, export_encoder
from retriton_export.engine_choice import Machine, choose
from retriton_serving.engines import load_engine
from retriton_serving.engines.devices import NoDevice
from tests.conftest import copy_repository
from tests.export.checkpoints import VOCABULARY_SIZE, tiny_bert, tiny_cross_encoder

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_an_encoder_passes_its_gate_and_every_shape_is_padded_to_the_grid(tmp_path: Path, precision: str) -> None:
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny", family="xlm-roberta")))
    manifest, _ = export_encoder(checkpoint, repository, Recipe("torch", precision))
    assert manifest.artefact.file == "model.pt2"
    assert manifest.parity["cosine_min_batched"] > (0.9995 if precision == "bf16" else 0.99999)
    folder = repository / "encoder/1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETRITON_DEVICES", "cpu:0,cpu:1")
        engine = load_engine(folder, manifest.artefact)
    assert engine.devices == ("cpu:0", "cpu:1")
    first, second = engine.worker(0), engine.worker(1)
    draw = np.random.default_rng(0)
    for rows, length in ((1, 1), (1, 48), (17, 5), (9, 47)):
        ids = draw.integers(5, VOCABULARY_SIZE, (rows, length))
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vectors = first(feed)
        assert vectors.shape == (rows, 32)
        np.testing.assert_array_equal(vectors, second(feed))
        alone = first({name: array[:1] for name, array in feed.items()})
        np.testing.assert_allclose(alone[0], vectors[0], atol=1e-2 if precision == "bf16" else 1e-5)


def test_a_decoder_scores_pairs_whatever_the_padding_tokens_are(tmp_path: Path) -> None:
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(str(tiny_cross_encoder(tmp_path / "tiny", "qwen3")))
    manifest, _ = export_encoder(checkpoint, repository, Recipe("torch", "fp16"))
    compute = load_engine(repository / "cross_encoder/1", manifest.artefact).worker()
    ids = np.random.default_rng(0).integers(5, VOCABULARY_SIZE, (3, 20))
    mask = (np.arange(20) < np.array([[20], [7], [1]])).astype(np.int64)
    feeds = [
        {"input_ids": np.where(mask, ids, padding), "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        for padding in (0, 9)
    ]
    np.testing.assert_array_equal(compute(feeds[0]), compute(feeds[1]))


def test_a_gpu_that_is_named_and_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny")))
    manifest, _ = export_encoder(checkpoint, repository, Recipe("onnxruntime", "fp32"))
    folder = repository / "encoder/1"
    monkeypatch.setenv("RETRITON_DEVICES", "cuda")
    with pytest.raises(NoDevice, match="cuda:0, and this engine finds 0 GPUs"):
        load_engine(folder, manifest.artefact)
    # Where there is a GPU, but ONNX Runtime is built for CPUs.
    monkeypatch.setattr("retriton_serving.engines.onnx_runtime.chosen_devices", lambda gpus: ("cuda:0",))
    with pytest.raises(NoDevice, match="CUDAExecutionProvider for cuda:0 is not in this ONNX Runtime"):
        load_engine(folder, manifest.artefact)
    monkeypatch.setenv("RETRITON_ONNXRUNTIME_PROVIDER", "tensorrt")
    with pytest.raises(NoDevice, match="TensorrtExecutionProvider for cuda:0 is not in this ONNX Runtime"):
        load_engine(folder, manifest.artefact)


@pytest.mark.parametrize(
    ("machine", "recipe", "reason"),
    [
        (Machine(1, (9, 0), False), Recipe("torch", "bf16"), "compute capability 9.0, which is fast in bf16"),
        (Machine(2, (7, 5), True), Recipe("torch", "fp16"), "compute capability 7.5, which is fast in fp16"),
        (Machine(1, None, True), Recipe("onnxruntime", "fp16"), "PyTorch is built without CUDA"),
        (Machine(1, None, False), Recipe.choose(), "neither PyTorch nor ONNX Runtime is built for it"),
        (Machine(0, None, True), Recipe.choose(), "there is no NVIDIA GPU"),
    ],
)
def test_auto_chooses_by_what_the_machine_has_and_says_why(machine: Machine, recipe: Recipe, reason: str) -> None:
    chosen, why = choose(machine)
    assert chosen == recipe
    assert reason in why


def test_auto_refuses_a_precision_that_the_engine_does_not_have() -> None:
    with pytest.raises(UnsupportedRecipe, match="torch has no precision 'int8'"):
        choose(Machine(1, (9, 0), False), "int8")
