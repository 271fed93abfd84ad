from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from retriton_export import Checkpoint, Overrides, ParityError, UnsupportedCheckpoint, export_encoder, graph
from retriton_serving.manifest import Manifest
from tests.conftest import copy_repository
from tests.export.checkpoints import tiny_bert


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
    manifest, done = export_encoder(checkpoint, repository)
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

    def export_wrong_graph(encoder: graph.SentenceEncoder, target: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(graph.SentenceEncoder, "forward", forward_without_mask)
            export_onnx(encoder, target)

    monkeypatch.setattr(graph, "export_onnx", export_wrong_graph)
    with pytest.raises(ParityError, match="lowest cosine 0\\.[0-9]+, asked for 0.99999"):
        export_encoder(Checkpoint.read(folder), repository, force=True)
    assert {
        file.name: file.read_bytes() for file in (repository / "encoder/1").iterdir() if file.is_file()
    } == installed
    assert Manifest.read(repository / "encoder/1").encoder.pooling == "mean"


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="not a model repository"):
        export_encoder(Checkpoint.read(), tmp_path)
