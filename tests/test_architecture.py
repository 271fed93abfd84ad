"""Who may import whom, and what the configurations of the model repository promise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from retriton_serving.batching.batcher import LaneLimits
from retriton_serving.batching.length_sorted_queue import BatchLimits

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "transformers", "onnx"}
SERVING = "retriton_serving."
# What the files of a folder must not import, by the first parts of a module's name.
FORBIDDEN = {
    "client/retriton_client": {
        "retriton_export",
        "retriton_pipeline",
        *(SERVING + part for part in ("batching", "engines", "triton", "launcher")),
        *HEAVY,
    },
    "export/retriton_export": {"retriton_client", "retriton_pipeline", SERVING + "triton", SERVING + "launcher"},
    "export/retriton_tuning": {
        *(f"retriton_pipeline.{part}" for part in ("cli", "gateway", "generation", "ingest", "mcp", "rag")),
        *(SERVING + part for part in ("triton", "launcher")),
    },
    "serving/retriton_serving/contract": {"numpy", "retriton", "retriton_client", "retriton_export", *HEAVY},
    "serving/retriton_serving/batching": {"retriton_client", "retriton_export", "retriton_pipeline", *HEAVY},
    "serving/retriton_serving/engines": {"retriton_client", "retriton_export", "retriton_pipeline", "transformers"},
    "serving/retriton_serving/triton": {
        "retriton_client",
        "retriton_export",
        "retriton_pipeline",
        SERVING + "launcher",
    },
    "serving/retriton_serving/launcher": {"retriton_export", "retriton_pipeline", "numpy", *HEAVY},
    "pipeline/retriton_pipeline": {*HEAVY, "onnxruntime", "triton_python_backend_utils"},
}
CONFIGS = sorted((ROOT / "model_repository").glob("**/*.pbtxt"))


def imports(file: Path) -> set[str]:
    """The dotted names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def packages(file: Path) -> set[str]:
    """The top-level names among `imports`."""
    return {name.split(".")[0] for name in imports(file)}


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_layers(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        wrong = {name for name in imports(file) for package in FORBIDDEN[folder] if is_below(name, package)}
        assert not wrong, file
        assert "tests" not in packages(file), file


def test_only_the_models_import_the_python_backend() -> None:
    serving = ROOT / "serving" / "retriton_serving"
    for file in serving.rglob("*.py"):
        if serving / "triton" not in file.parents:
            assert "triton_python_backend_utils" not in packages(file), file


def test_only_the_command_line_reaches_into_the_other_packages() -> None:
    pipeline = ROOT / "pipeline" / "retriton_pipeline"
    for file in pipeline.rglob("*.py"):
        if pipeline / "cli" not in file.parents:
            allowed = {name for name in imports(file) if is_below(name, "retriton_serving.contract")}
            wrong = {
                name
                for name in imports(file) - allowed
                if name.startswith(("retriton_export", "retriton_serving", "retriton_tuning"))
            }
            assert wrong <= {"retriton_serving"}, file


def test_models_import_only_what_the_server_environment_has() -> None:
    for file in (ROOT / "model_repository").glob("*/1/model.py"):
        assert packages(file) == {"retriton_serving"}, file


@pytest.mark.parametrize("package", ["client", "export", "pipeline", "serving"])
def test_errors_are_not_raised_in_except_star(package: str) -> None:
    """Python 3.11.2, that of Debian 12, groups them, so that callers cannot catch them."""
    for file in (ROOT / package).rglob("*.py"):
        tries = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.TryStar)]
        assert not any(isinstance(part, ast.Raise) for node in tries for part in ast.walk(node)), file


def read_config(file: Path) -> ModelConfig:
    return text_format.Parse(file.read_text(), ModelConfig())


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: "/".join(file.parts[-2:]))
def test_configurations_parse(file: Path) -> None:
    config = read_config(file)
    assert config.backend
    assert config.output


VARIANTS = ("onnxruntime_cpu", "onnxruntime_gpu", "onnxruntime_tensorrt", "openvino_cpu", "python_gpu", "tensorrt")
ON_A_GPU = ("onnxruntime_gpu", "onnxruntime_tensorrt", "tensorrt")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_the_encoder_has_one_interface(variant: str) -> None:
    encoder = ROOT / "model_repository" / "encoder"
    default, config = read_config(encoder / "config.pbtxt"), read_config(encoder / "configs" / f"{variant}.pbtxt")
    assert (config.input, config.output) == (default.input, default.output)
    assert config.max_batch_size == default.max_batch_size == 0
    assert not config.HasField("dynamic_batching")  # what it gets is a micro-batch
    assert variant.startswith(config.backend)
    assert {group.kind for group in config.instance_group} == {
        ModelInstanceGroup.KIND_GPU if variant in ON_A_GPU else ModelInstanceGroup.KIND_CPU
    }
    for warmup in config.model_warmup:
        assert set(warmup.inputs) == {item.name for item in config.input}


@pytest.mark.parametrize("lane", ["embed_query", "embed_passage"])
def test_lanes_are_the_same_for_every_gpu_variant(lane: str) -> None:
    folder = ROOT / "model_repository" / lane / "configs"
    assert {path.stem for path in folder.iterdir()} == {*ON_A_GPU, "python_gpu"}
    assert len({(folder / f"{variant}.pbtxt").read_text() for variant in ON_A_GPU}) == 1
    config, other = (read_config(folder / f"{variant}.pbtxt") for variant in ("python_gpu", "tensorrt"))
    for each in (config, other):
        del each.parameters["in_flight_max"]  # for each device, where the engine has several
    assert config == other


LANES = [path for path in CONFIGS if path.is_relative_to(ROOT / "model_repository") and "embed_" in str(path)]


@pytest.mark.parametrize("file", LANES, ids=lambda file: "/".join(file.parts[-3:]))
def test_lanes_have_one_interface_and_complete_parameters(file: Path) -> None:
    role = "query" if "embed_query" in str(file) else "passage"
    other = read_config(ROOT / "model_repository" / "embed_query" / "config.pbtxt")
    config = read_config(file)
    assert (config.input, config.output) == (other.input, other.output)
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    assert parameters.pop("role") == role
    names = {*BatchLimits.__dataclass_fields__, *LaneLimits.__dataclass_fields__, "processes"} - {
        *("batch", "tokens_max", "texts_max")
    }
    assert float(parameters.pop("cache_mb")) >= 0
    assert set(parameters) == names | {"batch_tokens_max", "batch_texts_max"}
    computed = {"cores", "cores+2", "cores/4", "devices*2", "devices*3"}
    assert all(value in computed or float(value) > 0 for value in parameters.values())
