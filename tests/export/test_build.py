from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor

from retriton_export import (
    Checkpoint,
    Overrides,
    ParityError,
    Recipe,
    UnsupportedCheckpoint,
    UnsupportedRecipe,
    export_encoder,
    graph,
)
from retriton_serving.contract.manifest import Manifest
from tests.conftest import copy_repository
from tests.export.checkpoints import FAMILIES, tiny_bert, tiny_cross_encoder

pytestmark = pytest.mark.slow

FP32 = Recipe("onnxruntime", "fp32")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return copy_repository(tmp_path / "model_repository")


def vectors(folder: Path, ids: list[list[int]], mask: list[list[int]]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    feed = {"input_ids": np.array(ids, np.int64), "attention_mask": np.array(mask, np.int64)}
    return session.run(["sentence_embedding"], feed)[0]


@pytest.mark.parametrize("pooling", ["mean", "cls", "lasttoken"])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_graph_pools_and_normalises_and_ignores_padding(
    tmp_path: Path, repository: Path, pooling: str, normalize: bool
) -> None:
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny")), Overrides(pooling=pooling, normalize=normalize))
    manifest, done = export_encoder(checkpoint, repository, FP32)
    assert done
    assert manifest.parity["cosine_min_alone"] >= 0.99999
    assert manifest.parity["tokens_max"] == 48
    alone = vectors(repository / "encoder/1", [[2, 9, 30, 3]], [[1, 1, 1, 1]])
    padded = vectors(repository / "encoder/1", [[2, 9, 30, 3, 0, 0], [2, 5, 6, 7, 8, 3]], [[1, 1, 1, 1, 0, 0], [1] * 6])
    np.testing.assert_allclose(alone[0], padded[0], atol=1e-6)
    assert bool(np.isclose(np.linalg.norm(alone), 1.0, atol=1e-5)) is normalize
    hidden = graph.load_encoder(checkpoint).transformer(torch.tensor([[2, 9, 30, 3]])).last_hidden_state[0]
    expected = {"mean": hidden.mean(0), "cls": hidden[0], "lasttoken": hidden[-1]}[pooling].detach().numpy()
    cosine = alone[0] @ expected / np.linalg.norm(alone) / np.linalg.norm(expected)
    assert cosine > 0.99999


def test_the_manifest_says_what_the_artefact_was_made_from(tmp_path: Path, repository: Path) -> None:
    export_encoder(Checkpoint.read(str(tiny_bert(tmp_path / "tiny", prompts={"query": "ask: "}))), repository)
    document = json.loads((repository / "encoder/1/manifest.json").read_text())
    assert document["encoder"]["dimension"] == 32
    assert document["encoder"]["prompts"] == {"query": "ask: ", "passage": ""}
    assert document["artefact"]["size_bytes"] == (repository / "encoder/1/model.onnx").stat().st_size
    assert set(document["tools"]) >= {"torch", "onnx", "onnxruntime", "transformers"}
    assert document["source"]["sha256"]["model.safetensors"]
    tokenizer = json.loads((repository / "encoder/1/tokenizer.json").read_text())
    assert tokenizer["padding"] is None
    assert tokenizer["truncation"] is None


def test_nothing_is_redone_and_changes_are(tmp_path: Path, repository: Path) -> None:
    folder = str(tiny_bert(tmp_path / "tiny"))
    assert export_encoder(Checkpoint.read(folder), repository)[1]
    before = (repository / "encoder/1/model.onnx").stat().st_mtime_ns
    assert not export_encoder(Checkpoint.read(folder), repository)[1]
    assert (repository / "encoder/1/model.onnx").stat().st_mtime_ns == before
    assert export_encoder(Checkpoint.read(folder, Overrides(pooling="cls")), repository)[1]
    (repository / "encoder/1/model.onnx").write_bytes(b"cut off")
    assert export_encoder(Checkpoint.read(folder, Overrides(pooling="cls")), repository)[1]


def test_an_artefact_that_differs_is_not_installed(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tiny_bert(tmp_path / "tiny"))
    export_encoder(Checkpoint.read(folder), repository)
    installed = {file.name: file.read_bytes() for file in (repository / "encoder/1").iterdir() if file.is_file()}

    def forward_without_mask(self: graph.SentenceEncoder, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        pooled = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.mean(1)
        return pooled + 0.0 * attention_mask.sum(1, keepdim=True)  # a wrong graph: it pools over padding too

    export_onnx = graph.export_onnx

    def export_wrong_graph(encoder: graph.SentenceEncoder, *rest: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(graph.SentenceEncoder, "forward", forward_without_mask)
            export_onnx(encoder, *rest)

    monkeypatch.setattr(graph, "export_onnx", export_wrong_graph)
    with pytest.raises(ParityError, match="lowest cosine 0\\.[0-9]+, required 0.99999"):
        export_encoder(Checkpoint.read(folder), repository, FP32, force=True)
    assert {
        file.name: file.read_bytes() for file in (repository / "encoder/1").iterdir() if file.is_file()
    } == installed
    assert Manifest.read(repository / "encoder/1").encoder.pooling == "mean"


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="not a model repository"):
        export_encoder(Checkpoint.read(), tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_equal_in_every_batch(tmp_path: Path, repository: Path, family: str) -> None:
    pooling = {"pooling_mode_lasttoken": True} if family == "qwen3" else None
    folder = tiny_bert(tmp_path / "tiny", pooling, family=family)
    manifest, _ = export_encoder(Checkpoint.read(str(folder)), repository, Recipe("openvino", "fp32"))
    parity = manifest.parity
    assert min(parity["cosine_min_alone"], parity["cosine_min_batched"], parity["batch_invariance_min"]) > 0.99999


def test_a_dense_layer_decides_the_dimension(tmp_path: Path, repository: Path) -> None:
    pooling = {"embedding_dimension": 32, "pooling_mode": "mean"}
    folder = tiny_bert(tmp_path / "tiny", pooling, modules=("Transformer", "Pooling", "Dense", "Normalize"))
    manifest, _ = export_encoder(Checkpoint.read(str(folder)), repository, FP32)
    assert manifest.encoder.dimension == 24
    reference = SentenceTransformer(str(folder), device="cpu")
    ids = reference.tokenizer(["$ 9 a"])["input_ids"]
    np.testing.assert_allclose(
        vectors(repository / "encoder/1", ids, [[1] * len(ids[0])]), reference.encode(["$ 9 a"]), atol=1e-6
    )


RECIPES = [
    ("onnxruntime", "fp32"),
    ("onnxruntime", "fp16"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
]


@pytest.mark.parametrize(("engine", "precision"), RECIPES)
def test_every_recipe_passes_its_gate_and_replaces_the_one_before(
    tmp_path: Path, repository: Path, engine: str, precision: str
) -> None:
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny")))
    (repository / "encoder/1/model.xml").write_text("of another recipe")
    manifest, _ = export_encoder(checkpoint, repository, Recipe(engine, precision))
    assert (manifest.artefact.engine, manifest.artefact.precision) == (engine, precision)
    assert not (repository / "encoder/1/model.xml").exists()
    assert set(manifest.artefact.sha256) == {"model.onnx"}


def test_the_default_recipe_is_the_fastest_lossless_one_of_this_cpu() -> None:
    has_bf16 = any(flag in Path("/proc/cpuinfo").read_text() for flag in ("avx512_bf16", "amx_bf16"))
    assert Recipe.choose() == Recipe("openvino", "bf16" if has_bf16 else "fp32")
    assert Recipe.choose("onnxruntime") == FP32
    assert Recipe.choose(precision="fp16") == Recipe("onnxruntime", "fp16")


def test_recipes_that_do_not_exist_are_refused_with_those_that_do() -> None:
    with pytest.raises(UnsupportedRecipe, match="openvino, onnxruntime, torch, tensorrt, tensorrt-rtx"):
        Recipe.choose("tflite")
    with pytest.raises(UnsupportedRecipe, match="fp32, fp16, int8"):
        Recipe.choose("onnxruntime", "bf16")


def _cut_off(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_cut_off, "cannot load"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer"),
    ],
)
def test_a_broken_checkpoint_leaves_the_installed_one(
    tmp_path: Path, repository: Path, harm: Any, message: str
) -> None:
    export_encoder(Checkpoint.read(str(tiny_bert(tmp_path / "good"))), repository, FP32)
    before = {file.name: file.stat().st_mtime_ns for file in (repository / "encoder/1").iterdir()}
    broken = tiny_bert(tmp_path / "broken")
    harm(broken)
    with pytest.raises(UnsupportedCheckpoint, match=message):
        export_encoder(Checkpoint.read(str(broken)), repository, FP32)
    assert {file.name: file.stat().st_mtime_ns for file in (repository / "encoder/1").iterdir()} == before


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "modernbert", "distilbert"])
def test_cross_encoders_of_every_family_give_the_same_scores(tmp_path: Path, repository: Path, family: str) -> None:
    folder = tiny_cross_encoder(tmp_path / "tiny", family)
    for recipe in (FP32, Recipe("openvino", "bf16")):
        manifest, done = export_encoder(Checkpoint.read(str(folder)), repository, recipe)
        assert done
        assert manifest.encoder.pooling == "score"
        assert manifest.parity["difference_max_alone"] <= manifest.parity["difference_threshold"]
    assert not (repository / "encoder/1/manifest.json").exists()
    assert (repository / "cross_encoder/1/model.onnx").exists()


def test_a_classifier_of_several_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="into 3 labels; a cross-encoder has one"):
        Checkpoint.read(str(tiny_cross_encoder(tmp_path / "tiny", labels=3)))
