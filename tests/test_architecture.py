"""Who may import whom, and what the configurations of the model repository promise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from retriton_serving.batcher import LaneLimits
from retriton_serving.waiting import BatchLimits

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "client/retriton_client": {
        "retriton_export",
        "retriton_pipeline",
        "retriton_serving",
        "torch",
        "transformers",
        "onnx",
    },
    "export/retriton_export": {"retriton_client", "retriton_pipeline"},
    "serving/retriton_serving": {
        "retriton_client",
        "retriton_export",
        "retriton_pipeline",
        "torch",
        "transformers",
        "onnx",
    },
    "pipeline/retriton_pipeline": {"torch", "transformers", "onnx", "onnxruntime"},
}
CONFIGS = sorted((ROOT / "model_repository").glob("**/*.pbtxt"))


def imports(file: Path) -> set[str]:
    """Top-level names of all that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_layers(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        assert not imports(file) & FORBIDDEN[package], file
        assert "tests" not in imports(file), file


def test_only_the_command_line_reaches_into_the_other_packages() -> None:
    pipeline = ROOT / "pipeline" / "retriton_pipeline"
    for file in pipeline.rglob("*.py"):
        if pipeline / "cli" not in file.parents:
            assert not imports(file) & {"retriton_export", "retriton_serving"}, file


def test_models_import_only_what_the_server_environment_has() -> None:
    for file in (ROOT / "model_repository").glob("*/1/model.py"):
        assert imports(file) == {"retriton_serving"}, file


def read_config(file: Path) -> ModelConfig:
    return text_format.Parse(file.read_text(), ModelConfig())


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: "/".join(file.parts[-2:]))
def test_configurations_parse(file: Path) -> None:
    config = read_config(file)
    assert config.backend
    assert config.output


def test_lanes_have_one_interface_and_complete_parameters() -> None:
    query, passage = (
        read_config(ROOT / "model_repository" / f"embed_{role}" / "config.pbtxt") for role in ("query", "passage")
    )
    assert query.input == passage.input
    assert query.output == passage.output
    for role, config in (("query", query), ("passage", passage)):
        parameters = {key: value.string_value for key, value in config.parameters.items()}
        assert parameters.pop("role") == role
        names = {*BatchLimits.__dataclass_fields__, *LaneLimits.__dataclass_fields__} - {"batch", "tokens_max"}
        assert float(parameters.pop("cache_mb")) >= 0
        assert set(parameters) == names | {"batch_tokens_max"}
        assert all(value in ("cores", "cores+2") or float(value) > 0 for value in parameters.values())
