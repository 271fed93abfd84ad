"""Builds TensorRT plans from an exported graph, with TensorRT 10, TensorRT 11 or TensorRT for RTX.

TensorRT builds on the GPU that serves the plan. TensorRT for RTX builds for named compute capabilities, on any machine,
and compiles the rest where the plan is loaded. Networks are strongly typed: the precision is that of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from retriton_export.errors import ExportError, UnsupportedCheckpoint, UnsupportedRecipe
from retriton_export.plan_profiles import Profile
from retriton_serving.engines.tensor_rt import import_tensorrt

TIMING_CACHE = Path(".retriton/tensorrt-timing.cache")
_WORKSPACE_BYTES = 4 << 30


def plan_file(capabilities: Sequence[str]) -> str:
    """Returns the file name of a plan; Triton's configuration lists the names of plans for one compute capability."""
    names = ["sm" + capability.replace(".", "") for capability in capabilities]
    return f"model_{'_'.join(names)}.plan"


def target_capabilities(engine: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Returns the compute capabilities that a plan is built for: those that are wanted, else that of this GPU.

    Raises:
        UnsupportedRecipe: the engine builds for this machine's GPU only, or not for a wanted compute capability.
        ExportError: the package is missing, or there is no GPU and none is wanted.
    """
    tensorrt = _package(engine)
    here = ["{}.{}".format(*torch.cuda.get_device_capability())] if torch.cuda.is_available() else []
    known = _known_capabilities(engine, tensorrt) or here
    if not wanted and not here:
        hint = f"name its GPU with --compute-capability ({', '.join(known)})" if known else "export on that machine"
        raise ExportError(f"{engine} builds for the GPU that serves, and PyTorch finds none here: {hint}")
    chosen = tuple(sorted(set(wanted or here), key=lambda capability: tuple(map(int, capability.split(".")))))
    if unknown := [capability for capability in chosen if capability not in known]:
        raise UnsupportedRecipe(
            f"{engine} {tensorrt.__version__} builds no plan for compute capability {', '.join(unknown)} here, only "
            f"for {', '.join(known) or 'the GPU of the machine, which has none'}"
        )
    return chosen


def build_plan(graph: Path, engine: str, shapes: Sequence[Profile], capabilities: Sequence[str]) -> Path:
    """Builds a plan next to the graph. With TensorRT, the first build takes minutes.

    Args:
        graph: ONNX graph.
        engine: ``tensorrt`` or ``tensorrt-rtx``.
        shapes: optimization profiles.
        capabilities: from `target_capabilities`.

    Raises:
        UnsupportedCheckpoint: TensorRT cannot compute an operator of the graph.
        ExportError: the package is missing, or the build failed.
    """
    tensorrt = _package(engine)
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(_strongly_typed(tensorrt))
    _parse(tensorrt, network, graph, logger)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    add_profiles(builder, config, network, shapes)
    if known := _known_capabilities(engine, tensorrt):
        config.num_compute_capabilities = len(capabilities)
        for place, capability in enumerate(capabilities):
            config.set_compute_capability(known[capability], place)
    timings = None if known else _read_timing_cache(config)  # for RTX, kernels are chosen where the plan is loaded
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ExportError(f"{engine} {tensorrt.__version__} could not build the plan; its log above says why")
    if timings is not None:
        _write_timing_cache(config)
    target = graph.with_name(plan_file(capabilities))
    target.write_bytes(bytes(plan))
    return target


def add_profiles(builder: Any, config: Any, network: Any, shapes: Sequence[Profile]) -> None:
    """Adds an optimization profile for each of ``shapes``, for all inputs of the network.

    Raises:
        ExportError: TensorRT has not taken the shapes; a plan for others would fail while it serves.
    """
    names = [network.get_input(number).name for number in range(network.num_inputs)]
    for shape in shapes:
        profile = builder.create_optimization_profile()
        wanted = [shape.smallest, shape.usual, shape.largest]
        for name in names:
            profile.set_shape(name, *wanted)
            if (taken := [tuple(dims) for dims in profile.get_shape(name)]) != wanted:
                raise ExportError(f"the profile of {name} is {taken}, it should be {wanted}")
        if config.add_optimization_profile(profile) < 0:
            raise ExportError(f"TensorRT refuses the optimization profile {shape}")


def _parse(tensorrt: Any, network: Any, graph: Path, logger: Any) -> None:
    """Asks the parser of the installed release, which is the one that knows its operators."""
    parser = tensorrt.OnnxParser(network, logger)
    if parser.parse_from_file(str(graph)):
        return
    errors = [parser.get_error(number) for number in range(parser.num_errors)]
    named = sorted({error.node_operator() for error in errors if error.node_operator()})
    reasons = "; ".join(dict.fromkeys(error.desc() for error in errors))
    if named:
        raise UnsupportedCheckpoint(
            f"TensorRT {tensorrt.__version__} does not support the operators {', '.join(named)} of {graph.name}: "
            f"{reasons}"
        )
    raise ExportError(f"TensorRT {tensorrt.__version__} cannot parse {graph.name}: {reasons}")


def _package(engine: str) -> Any:
    try:
        return import_tensorrt(engine)
    except ImportError as error:
        raise ExportError(
            f"the package {error.name} is missing: pip install 'retriton[{engine}]'"
            + (", on the machine with the GPU that serves the plan" if engine == "tensorrt" else "")
        ) from error


def _known_capabilities(engine: str, tensorrt: Any) -> dict[str, Any]:
    """The compute capabilities that TensorRT for RTX builds for on any machine, by name such as ``8.9``."""
    if engine == "tensorrt":
        return {}
    members = tensorrt.ComputeCapability.__members__
    return {f"{name[2:-1]}.{name[-1]}": member for name, member in members.items() if name.startswith("SM")}


def _strongly_typed(tensorrt: Any) -> int:
    """Returns the flag for strong typing; TensorRT 11 has none, because all its networks are strongly typed."""
    flag = getattr(tensorrt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _read_timing_cache(config: Any) -> Any:
    known = TIMING_CACHE.read_bytes() if TIMING_CACHE.exists() else b""
    cache = config.create_timing_cache(known)
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def _write_timing_cache(config: Any) -> None:
    TIMING_CACHE.parent.mkdir(parents=True, exist_ok=True)
    TIMING_CACHE.write_bytes(bytes(config.get_timing_cache().serialize()))
