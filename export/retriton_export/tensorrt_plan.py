"""Builds TensorRT plans from the exported graph, on the GPU that serves them.

Written against the Python API of TensorRT 10 and 11 (https://docs.nvidia.com/deeplearning/tensorrt), and not tested by
the authors. Networks are strongly typed: the precision is that of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc.model_config_pb2 import ModelConfig

from retriton_export.errors import ExportError, UnsupportedCheckpoint
from retriton_serving.engines import Compute, Feed

TIMING_CACHE = Path(".retriton/tensorrt-timing.cache")
_QUERY_TOKENS = 64  # the profile of queries covers texts of up to this length
_WORKSPACE_BYTES = 4 << 30
# Operators that TensorRT's parser documents and that exported encoders use. Others are reported before the build.
OPERATORS = frozenset(
    [
        "Abs",
        "Add",
        "And",
        "Cast",
        "Clip",
        "Ceil",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Cos",
        "CumSum",
        "DequantizeLinear",
        "Div",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Gelu",
        "Gemm",
        "Greater",
        "GreaterOrEqual",
        "Identity",
        "IsNaN",
        "LayerNormalization",
        "Log",
        "Less",
        "LessOrEqual",
        "MatMul",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pad",
        "Pow",
        "QuantizeLinear",
        "RMSNormalization",
        "Range",
        "Reciprocal",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Round",
        "ScatterND",
        "Sign",
        "Size",
        "Shape",
        "Sigmoid",
        "Sin",
        "Slice",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Tile",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "Where",
    ]
)


@dataclass(frozen=True)
class Profile:
    """An optimization profile: minimum, optimum and maximum shape ``[texts, tokens]``."""

    smallest: tuple[int, int]
    usual: tuple[int, int]
    largest: tuple[int, int]


def profiles(query_tokens: int, passage_tokens: int, texts_max: int, tokens_max: int) -> tuple[Profile, Profile]:
    """Computes the profiles of the query and the passage lane, which cover all their micro-batches.

    Args:
        query_tokens: ``batch_tokens_max`` of the query lane.
        passage_tokens: ``batch_tokens_max`` of the passage lane.
        texts_max: the larger ``batch_texts_max`` of both lanes.
        tokens_max: maximum number of tokens of a text.
    """
    short = min(_QUERY_TOKENS, tokens_max)
    few, half = min(32, short), max(1, tokens_max // 2)
    long_texts = min(texts_max, max(1, max(query_tokens, passage_tokens) // (short + 1)))
    return (
        Profile((1, 1), (_between(1, query_tokens // few, texts_max), few), (texts_max, short)),
        Profile((1, 1), (_between(1, passage_tokens // half, long_texts), half), (long_texts, tokens_max)),
    )


def lane_limits(lane: Path) -> tuple[int, int]:
    """Reads the maximum numbers of tokens and texts in a micro-batch from the lane's configuration for TensorRT."""
    config = text_format.Parse((lane / "configs" / "tensorrt.pbtxt").read_text(encoding="utf-8"), ModelConfig())
    tokens, texts = (int(config.parameters[f"batch_{unit}_max"].string_value) for unit in ("tokens", "texts"))
    return tokens, texts


def _between(lowest: int, value: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def unsupported_operators(graph: Path) -> set[str]:
    """Returns the operators of an ONNX graph that are not in `OPERATORS`."""
    import onnx

    model = onnx.load(graph, load_external_data=False)
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    local = {function.name for function in model.functions}
    return {node.op_type for node in nodes} - OPERATORS - local


def plan_file(compute_capability: tuple[int, int]) -> str:
    """Returns the file name of a plan for a compute capability; Triton's configuration lists these names."""
    major, minor = compute_capability
    return f"model_sm{major}{minor}.plan"


def build_plan(graph: Path, inputs: Sequence[str], shapes: Sequence[Profile]) -> Path:
    """Builds the plan for this machine's GPU next to the graph. The first build takes minutes.

    Args:
        graph: ONNX graph.
        inputs: names of its inputs.
        shapes: optimization profiles.

    Raises:
        UnsupportedCheckpoint: the graph has operators that TensorRT does not support.
        ExportError: TensorRT or a GPU is missing, or the build failed.
    """
    if unknown := unsupported_operators(graph):
        raise UnsupportedCheckpoint(
            f"TensorRT does not support the operators {', '.join(sorted(unknown))} of {graph.name}"
        )
    tensorrt = import_tensorrt()
    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(_strongly_typed(tensorrt))
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        errors = "; ".join(str(parser.get_error(number)) for number in range(parser.num_errors))
        raise ExportError(f"TensorRT {tensorrt.__version__} cannot parse the graph: {errors}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    for shape in shapes:
        profile = builder.create_optimization_profile()
        for name in inputs:
            profile.set_shape(name, shape.smallest, shape.usual, shape.largest)
        config.add_optimization_profile(profile)
    _read_timing_cache(config)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ExportError(f"TensorRT {tensorrt.__version__} could not build the plan; see its log above")
    _write_timing_cache(config)
    target = graph.with_name(plan_file(torch.cuda.get_device_capability()))
    target.write_bytes(bytes(plan))
    return target


def import_tensorrt() -> Any:
    """Imports the package.

    Raises:
        ExportError: the package or a GPU is missing.
    """
    try:
        import tensorrt
    except ImportError as error:
        raise ExportError(
            "the package tensorrt is missing: pip install tensorrt, on the machine with the GPU that serves the plan"
        ) from error
    if not torch.cuda.is_available():
        raise ExportError("TensorRT requires a GPU, and PyTorch finds none: export on the machine that serves the plan")
    return tensorrt


class TensorRtEngine:
    """A loaded plan, for the parity gate. See `retriton_serving.engines.Engine`.

    Raises:
        ExportError: TensorRT or a GPU is missing, or another version of TensorRT built the plan.
    """

    def __init__(self, plan: Path, precision: str) -> None:
        tensorrt = import_tensorrt()
        self.precision = precision
        runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
        self._engine = runtime.deserialize_cuda_engine(plan.read_bytes())
        if self._engine is None:
            raise ExportError(f"TensorRT {tensorrt.__version__} cannot load {plan}: it was built by another version")

    def worker(self) -> Compute:
        """Returns a function that runs the plan with the profile of passages, which covers all lengths.

        See `retriton_serving.engines.Engine.worker` for shapes.
        """
        context = self._engine.create_execution_context()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        context.set_optimization_profile_async(self._engine.num_optimization_profiles - 1, stream.cuda_stream)
        output = self._engine.get_tensor_name(self._engine.num_io_tensors - 1)

        def compute(feed: Feed) -> NDArray[np.float32]:
            arrays = {name: torch.from_numpy(np.ascontiguousarray(array)).cuda() for name, array in feed.items()}
            for name, array in arrays.items():
                context.set_input_shape(name, tuple(array.shape))
                context.set_tensor_address(name, array.data_ptr())
            vectors = torch.empty(tuple(context.get_tensor_shape(output)), dtype=torch.float32, device="cuda")
            context.set_tensor_address(output, vectors.data_ptr())
            torch.cuda.synchronize()
            if not context.execute_async_v3(stream.cuda_stream):
                raise ExportError(f"TensorRT failed on {[tuple(array.shape) for array in arrays.values()]}")
            stream.synchronize()
            result: NDArray[np.float32] = vectors.cpu().numpy()
            return result

        return compute


def _strongly_typed(tensorrt: Any) -> int:
    """Returns the flag for strong typing; TensorRT 11 has none, because all its networks are strongly typed."""
    flag = getattr(tensorrt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _read_timing_cache(config: Any) -> None:
    known = TIMING_CACHE.read_bytes() if TIMING_CACHE.exists() else b""
    config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False)


def _write_timing_cache(config: Any) -> None:
    TIMING_CACHE.parent.mkdir(parents=True, exist_ok=True)
    TIMING_CACHE.write_bytes(bytes(config.get_timing_cache().serialize()))
