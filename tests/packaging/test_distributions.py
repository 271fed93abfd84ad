"""What a user downloads."""

from __future__ import annotations

import tarfile
import zipfile
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import Requirement

from tests.conftest import ROOT

PACKAGES = {
    "retriton",
    "retriton_client",
    "retriton_export",
    "retriton_pipeline",
    "retriton_serving",
    "retriton_tuning",
}
BINARIES = (".pyc", ".so", ".onnx", ".plan", ".bin", ".xml", ".safetensors", ".db")


def test_the_wheel_has_the_packages_and_their_data_and_nothing_built(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == PACKAGES
    assert not [name for name in names if name.endswith(BINARIES) or "__pycache__" in name]
    for folder in ("model_repository", "docs/samples"):
        sources = [file.relative_to(ROOT / folder) for file in (ROOT / folder).rglob("*") if _is_source(file)]
        assert sources
        wanted = {f"retriton/{Path(folder).name}/{file}" for file in sources}
        assert wanted == {name for name in names if name.startswith(f"retriton/{Path(folder).name}/")}
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)


def _is_source(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts and (file.parent.name != "1" or file.name == "model.py")


def test_a_base_install_is_the_client(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = BytesParser().parsebytes(archive.read(name))
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    assert {item.name for item in required if item.marker is None} == {"numpy", "tritonclient"}


def test_the_source_distribution_can_be_built_and_tested(distributions: Path) -> None:
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {"/".join(name.split("/")[1:]) for name in archive.getnames()}
    assert not [name for name in names if name.endswith(BINARIES) or "__pycache__" in name]
    wanted = {
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        "LICENSE",
        "docs/samples/serving.md",
        "tests/conftest.py",
    }
    assert wanted <= names
    assert "model_repository/encoder/config.pbtxt" in names
