from __future__ import annotations

from pathlib import Path

import pytest

from retriton_serving.launcher import (
    LaunchError,
    create_repository,
    default_repository,
    default_server_env,
    installed_encoder,
    samples_folder,
)
from tests.conftest import ROOT


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, and no variable that names a repository."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("RETRITON_MODEL_REPOSITORY", raising=False)
    monkeypatch.delenv("RETRITON_SERVER_ENV", raising=False)
    return tmp_path / "retriton"


def test_a_repository_to_edit_has_the_sources_and_nothing_else(tmp_path: Path) -> None:
    created = create_repository(tmp_path / "mine")
    models = {folder.name for folder in created.iterdir()}
    assert models == {"cross_encoder", "embed_passage", "embed_query", "encoder", "encoder_info", "rerank"}
    assert {file.name for file in created.glob("*/1/*")} == {"model.py"}
    for file in created.rglob("*.*"):
        assert file.read_bytes() == (ROOT / "model_repository" / file.relative_to(created)).read_bytes()
    assert (created / "encoder" / "configs" / "tensorrt.pbtxt").stat().st_mode & 0o444 == 0o444


def test_no_folder_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(LaunchError, match="is not empty: name another folder"):
            create_repository(target)
    create_repository(tmp_path / "deep" / "down")
    (tmp_path / "empty").mkdir()
    create_repository(tmp_path / "empty")


def test_the_default_repository_is_in_the_users_data_folder(data: Path) -> None:
    assert default_repository() == data / "model_repository"
    assert (data / "model_repository" / "encoder" / "config.pbtxt").exists()
    assert default_server_env() == data / "server"
    assert not default_server_env().exists()


def test_an_upgrade_replaces_the_sources_and_keeps_what_was_exported(data: Path) -> None:
    repository = default_repository()
    encoder = repository / "encoder"
    (encoder / "1" / "model.onnx").write_text("exported")
    (encoder / "config.pbtxt").write_text("of an older version")
    (encoder / "1" / "model.py").write_text("of an older version")
    (encoder / "configs" / "gone.pbtxt").write_text("of an older version")
    (repository / "gone" / "1").mkdir(parents=True)
    assert default_repository() == repository
    assert (encoder / "1" / "model.onnx").read_text() == "exported"
    for file in ("config.pbtxt", "1/model.py"):
        assert (encoder / file).read_bytes() == (ROOT / "model_repository" / "encoder" / file).read_bytes()
    assert not (encoder / "configs" / "gone.pbtxt").exists()
    assert not (repository / "gone").exists()


def test_a_repository_that_is_up_to_date_is_not_written(data: Path) -> None:
    def times() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in default_repository().rglob("*")}

    assert times() == times()


def test_a_named_repository_is_left_alone(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRITON_MODEL_REPOSITORY", str(tmp_path / "mine"))
    assert default_repository() == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()
    assert not data.exists()


def test_an_empty_repository_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="retriton export"):
        installed_encoder(create_repository(tmp_path / "mine"))


def test_the_sample_documents_are_found() -> None:
    assert {"serving.md", "operations.pdf"} <= {file.name for file in samples_folder().iterdir()}
