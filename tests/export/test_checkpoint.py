from __future__ import annotations

import json
from pathlib import Path

import pytest

from retriton_export import Checkpoint, ExportError, Overrides, UnsupportedCheckpoint
from tests.export.checkpoints import tiny_bert


def test_the_default_is_the_checkpoint_of_the_wheel() -> None:
    checkpoint = Checkpoint.read()
    assert checkpoint.name == "all-MiniLM-L6-v2"
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_tokens) == ("mean", True, 256)
    assert checkpoint.prompts == {"query": "", "passage": ""}


def test_the_description_beside_the_weights_counts(tmp_path: Path) -> None:
    prompts = {"query": "ask: ", "document": "doc: "}
    folder = tiny_bert(tmp_path / "tiny", {"pooling_mode_cls_token": True}, ("Transformer", "Pooling"), prompts)
    checkpoint = Checkpoint.read(str(folder))
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_tokens) == ("cls", False, 48)
    assert checkpoint.prompts == {"query": "ask: ", "passage": "doc: "}


def test_flags_override_the_description(tmp_path: Path) -> None:
    overrides = Overrides(pooling="lasttoken", normalize=False, max_tokens=16, query_prompt="Q ", passage_prompt="")
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny", prompts={"passage": "doc: "})), overrides)
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_tokens) == ("lasttoken", False, 16)
    assert checkpoint.prompts == {"query": "Q ", "passage": ""}


@pytest.mark.parametrize("name", ["e5-large-unsupervised", "multilingual-e5-base"])
def test_e5_gets_its_prompts(tmp_path: Path, name: str) -> None:
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / name)))
    assert checkpoint.prompts == {"query": "query: ", "passage": "passage: "}


def test_the_fingerprint_follows_what_decides_the_vectors(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")

    def fingerprint(overrides: Overrides | None = None) -> str:
        checkpoint = Checkpoint.read(str(folder), overrides)
        return checkpoint.fingerprint(checkpoint.file_sums())

    first = fingerprint()
    (folder / "README.md").write_text("changed")
    assert fingerprint() == first
    others = {
        fingerprint(Overrides(pooling="cls")),
        fingerprint(Overrides(normalize=False)),
        fingerprint(Overrides(query_prompt="x ")),
        fingerprint(Overrides(max_tokens=16)),
    }
    assert len(others | {first}) == 5


_DENSE_WITHOUT_FILES = '[{"type": "x.Pooling", "path": "1_Pooling"}, {"type": "x.Dense", "path": "2_Dense"}]'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no .*safetensors"),
        (lambda folder: _pooling(folder, {"pooling_mode_max_tokens": True}), "pooling_mode_max_tokens"),
        (lambda folder: _pooling(folder, {"pooling_mode": "weightedmean"}), "weightedmean"),
        (lambda folder: (folder / "modules.json").write_text('[{"type": "x.CNN", "path": ""}]'), "CNN"),
        (lambda folder: (folder / "modules.json").write_text(_DENSE_WITHOUT_FILES), "dense layer"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path: Path, change: object, message: str) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    change(folder)  # type: ignore[operator]
    with pytest.raises(UnsupportedCheckpoint, match=message):
        Checkpoint.read(str(folder)).file_sums()


def _pooling(folder: Path, config: dict[str, object]) -> None:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))


def test_more_tokens_than_positions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="100 is more than the 64"):
        Checkpoint.read(str(tiny_bert(tmp_path / "tiny")), Overrides(max_tokens=100))


def test_a_missing_folder_is_not_taken_for_a_hub_id() -> None:
    with pytest.raises(ExportError, match="neither a folder nor a hub id"):
        Checkpoint.read("./no/such/folder")
