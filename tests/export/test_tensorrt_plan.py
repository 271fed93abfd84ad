"""TensorRT's path as far as a machine without a GPU goes: TensorRT for RTX parses and builds, and runs nowhere here."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from google.protobuf import text_format
from onnx import TensorProto, helper
from tritonclient.grpc.model_config_pb2 import ModelConfig

from retriton_export import Checkpoint, ExportError, Recipe, UnsupportedCheckpoint, UnsupportedRecipe, export_encoder
from retriton_export.graph import (
    INPUTS,
    OUTPUT,
    PAIR_INPUTS,
    PAIR_OUTPUT,
    export_onnx,
    in_precision,
    load_cross_encoder,
    load_encoder,
)
from retriton_export.plan_profiles import MicroBatchMax, profiles
from retriton_export.tensorrt_plan import add_profiles, build_plan, plan_file, target_capabilities
from retriton_serving.batching.length_sorted_queue import BatchLimits, LengthSortedQueue
from retriton_serving.batching.padding import Padding
from retriton_serving.contract.manifest import Artefact, Manifest
from retriton_serving.engines.devices import NoDevice
from retriton_serving.engines.tensor_rt import check_capability, import_tensorrt
from tests.conftest import ROOT, copy_repository
from tests.export.checkpoints import FAMILIES, VOCABULARY_SIZE, tiny_bert, tiny_cross_encoder

pytestmark = pytest.mark.slow

REPOSITORY = ROOT / "model_repository"
LANES = {name: MicroBatchMax.of(REPOSITORY / name) for name in ("embed_query", "embed_passage", "rerank")}
EMBEDDING = [LANES["embed_query"], LANES["embed_passage"]]
GRAPHICS_CARDS = ("8.0", "8.9", "12.0")
COSINE_MIN = 0.99999  # of the corrected float16 graphs; the gate asks for 0.9995


@pytest.mark.parametrize("tokens_max", [48, 256, 512])
@pytest.mark.parametrize("lanes", [["embed_query", "embed_passage"], ["rerank"]])
def test_the_profiles_cover_every_micro_batch_of_the_lanes(lanes: list[str], tokens_max: int) -> None:
    """Read back from the network's profiles; micro-batches are those that the lanes' queue forms and pads."""
    tensorrt = import_tensorrt("tensorrt-rtx")
    builder = tensorrt.Builder(tensorrt.Logger(tensorrt.Logger.ERROR))
    network, config = builder.create_network(0), builder.create_builder_config()
    network.add_input("input_ids", tensorrt.int64, (-1, -1))
    taken = []

    class Config:
        def add_optimization_profile(self, profile: object) -> int:
            taken.append([tuple(dims) for dims in profile.get_shape("input_ids")])  # type: ignore[attr-defined]
            return int(config.add_optimization_profile(profile))

    add_profiles(builder, Config(), network, profiles([LANES[lane] for lane in lanes], tokens_max))
    assert config.num_optimization_profiles == len(taken) == 2
    draw = random.Random(0)
    padding = Padding(0, tokens_max)
    for lane in lanes:
        limits = BatchLimits(tokens_max=LANES[lane].tokens, texts_max=LANES[lane].texts)
        for length in range(1, tokens_max + 1):
            _assert_covered(taken, (limits.texts_max, length), limits, padding)
        texts: LengthSortedQueue[int] = LengthSortedQueue()
        for _ in range(3000):
            length = draw.randint(1, tokens_max)
            texts.add(length, length)
        while texts:
            ids, _ = padding([[1] * length for length in texts.take(limits)])
            assert any(_contains(largest, ids.shape) for _, _, largest in taken)


def _assert_covered(
    taken: list[list[tuple[int, int]]], shape: tuple[int, int], limits: BatchLimits, padding: Padding
) -> None:
    texts, length = max(1, min(shape[0], limits.tokens_max // shape[1])), shape[1]
    ids, _ = padding([[1] * length] * texts)
    assert any(_contains(largest, ids.shape) for _, _, largest in taken), ids.shape


def _contains(largest: tuple[int, int], shape: tuple[int, ...]) -> bool:
    return shape[0] <= largest[0] and shape[1] <= largest[1]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["encoder", "cross-encoder"])
def test_every_family_is_parsed_and_built_in_float16_and_stays_exact(tmp_path: Path, family: str, kind: str) -> None:
    graph = tmp_path / "model.onnx"
    if kind == "encoder":
        checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny", family=family)))
        model, inputs, output, lanes = load_encoder(checkpoint), INPUTS, OUTPUT, EMBEDDING
    else:
        checkpoint = Checkpoint.read(str(tiny_cross_encoder(tmp_path / "tiny", family)))
        model = load_cross_encoder(checkpoint, with_types=family == "bert", pad_token_id=0)
        inputs, output, lanes = PAIR_INPUTS, PAIR_OUTPUT, [LANES["rerank"]]
    export_onnx(in_precision(model, "fp16"), graph, inputs, output)
    Recipe("tensorrt-rtx", "fp16").build(tmp_path, list)
    assert float16_softmaxes(graph) == []
    plan = build_plan(graph, "tensorrt-rtx", profiles(lanes, checkpoint.max_tokens), GRAPHICS_CARDS)
    assert plan.name == "model_sm80_sm89_sm120.plan"
    assert plan.stat().st_size > 100_000
    _assert_exact(model, graph, inputs)


def float16_softmaxes(graph: Path) -> list[str]:
    """Softmaxes and poolings of a graph that compute in float16: those whose input is no cast to float32."""
    model = onnx.load(graph)
    casts = {
        node.output[0]
        for node in model.graph.node
        if node.op_type == "Cast" and any(a.name == "to" and a.i == TensorProto.FLOAT for a in node.attribute)
    }
    return [n.name for n in model.graph.node if n.op_type == "Softmax" and n.input[0] not in casts]


def _assert_exact(model: torch.nn.Module, graph: Path, inputs: tuple[str, ...]) -> None:
    """Against float32 on a CPU, with short and long rows and padding: cosine of vectors, difference of scores."""
    ids = np.random.default_rng(0).integers(5, VOCABULARY_SIZE, (8, 40))
    mask = (np.arange(40) < np.array([1, 2, 3, 7, 20, 33, 39, 40])[:, None]).astype(np.int64)
    feed = dict(zip(inputs, (ids * mask, mask, np.zeros_like(ids)), strict=False))
    with torch.inference_mode():
        wanted = model(*map(torch.from_numpy, feed.values())).numpy()
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    found = session.run(None, feed)[0]
    assert found.dtype == np.float32
    if found.shape[1] == 1:
        np.testing.assert_allclose(found, wanted, atol=0.005)
    else:
        cosines = (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
        assert cosines.min() > COSINE_MIN


def test_an_operator_that_the_parser_does_not_know_is_named(tmp_path: Path) -> None:
    shape = ["rows", "length"]
    graph = helper.make_graph(
        [helper.make_node("BitShift", ["input_ids", "attention_mask"], ["out"], direction="LEFT")],
        "unknown",
        [helper.make_tensor_value_info(name, TensorProto.UINT64, shape) for name in INPUTS],
        [helper.make_tensor_value_info("out", TensorProto.UINT64, shape)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "model.onnx")
    with pytest.raises((UnsupportedCheckpoint, ExportError), match=r"TensorRT 1\.\d.*(BitShift|input)"):
        build_plan(tmp_path / "model.onnx", "tensorrt-rtx", profiles(EMBEDDING, 48), ("8.9",))


def test_a_plan_for_named_gpus_is_exported_and_described_without_a_gpu(tmp_path: Path) -> None:
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(str(tiny_bert(tmp_path / "tiny")))
    recipe = Recipe.choose("tensorrt-rtx", None, ["8.9", "12.0"])
    assert export_encoder(checkpoint, repository, recipe)[1]
    folder = repository / "encoder/1"
    manifest = Manifest.read(folder)
    assert manifest.artefact.compute_capabilities == ["8.9", "12.0"]
    assert {file.name for file in folder.iterdir()} == {
        "manifest.json",
        "model.py",
        "model_sm89_sm120.plan",
        "tokenizer.json",
    }
    assert manifest.parity["computed_with"] == "onnxruntime, the graph of the plan"
    assert manifest.parity["cosine_min_alone"] > COSINE_MIN
    assert not export_encoder(checkpoint, repository, Recipe("tensorrt-rtx", "fp16", ("12.0", "8.9")))[1]
    with pytest.raises(NoDevice, match=r"is for compute capability 8\.9, 12\.0, and H100 has 9\.0"):
        check_capability(manifest.artefact, (9, 0), "H100")
    check_capability(manifest.artefact, (8, 9), "L4")
    with pytest.raises(UnsupportedRecipe, match=r"no plan for compute capability 9\.0 here, only for 7\.5, 8\.0"):
        export_encoder(checkpoint, repository, Recipe("tensorrt-rtx", "fp16", ("9.0",)))
    assert Manifest.read(folder) == manifest


def test_compute_capabilities_are_checked() -> None:
    assert target_capabilities("tensorrt-rtx", ["12.0", "8.9"]) == ("8.9", "12.0")
    with pytest.raises(UnsupportedRecipe, match="'89' is no compute capability such as 8.9"):
        Recipe.choose("tensorrt-rtx", None, ["89"])
    with pytest.raises(UnsupportedRecipe, match="torch runs on any GPU"):
        Recipe.choose("torch", None, ["8.9"])
    if not torch.cuda.is_available():
        with pytest.raises(ExportError, match=r"finds none here: name its GPU with --compute-capability \(7\.5, 8\.0"):
            target_capabilities("tensorrt-rtx", [])


def test_what_the_engine_calls_exists_in_the_installed_release() -> None:
    """The interface of execution is the same in TensorRT and in TensorRT for RTX; only the latter is installed here."""
    tensorrt = import_tensorrt("tensorrt-rtx")
    used = {
        "Runtime": ["deserialize_cuda_engine"],
        "ICudaEngine": [
            *("get_tensor_name", "num_io_tensors", "get_tensor_mode", "num_optimization_profiles"),
            *("create_execution_context", "get_tensor_profile_shape"),
        ],
        "IExecutionContext": [
            *("set_optimization_profile_async", "set_input_shape", "set_tensor_address", "get_tensor_shape"),
            "execute_async_v3",
        ],
    }
    source = (ROOT / "serving/retriton_serving/engines/tensor_rt.py").read_text()
    for owner, names in used.items():
        for name in names:
            assert f".{name}" in source
            assert hasattr(getattr(tensorrt, owner), name)


def test_triton_knows_the_plans_by_the_names_that_the_export_gives() -> None:
    config = text_format.Parse((REPOSITORY / "encoder/configs/tensorrt.pbtxt").read_text(), ModelConfig())
    for capability, name in config.cc_model_filenames.items():
        assert plan_file([capability]) == name
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
    with pytest.raises(ExportError, match=r"pip install 'retriton\[tensorrt\]'"):
        export_encoder(checkpoint, repository, Recipe("tensorrt", "fp16"))
    assert (repository / "encoder/1/model.onnx").exists()


def test_the_artefact_of_an_older_version_is_for_any_gpu() -> None:
    check_capability(Artefact("tensorrt", "fp16", "model_sm90.plan", 18, 1, {}), (9, 0), "H100")
