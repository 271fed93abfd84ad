"""Recipes: engine and precision of an artefact, and its conversion from the exported graph."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retriton_export.errors import ExportError, UnsupportedRecipe
from retriton_serving.contract.manifest import Artefact
from retriton_serving.contract.verification import sha256
from retriton_serving.engines import Feed

GRAPH_FILE = "model.onnx"


@dataclass(frozen=True)
class Recipe:
    """An engine and its precision. ``str(recipe)`` is, for example, ``openvino bf16``.

    Attributes:
        engine, precision: see `retriton_serving.contract.manifest.Artefact`.
        compute_capabilities: of the GPUs that a TensorRT plan is built for, such as ``8.9``; empty for this machine's,
            and for other engines.
    """

    engine: str
    precision: str
    compute_capabilities: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.engine, self.precision, *self.compute_capabilities))

    @classmethod
    def choose(
        cls, engine: str | None = None, precision: str | None = None, compute_capabilities: Sequence[str] = ()
    ) -> Recipe:
        """Chooses the fastest lossless recipe of this machine's CPU (see docs/benchmarks.md), or of an engine.

        Args:
            engine: required engine; None for any.
            precision: required precision; None for any.
            compute_capabilities: see `Recipe`.

        Raises:
            UnsupportedRecipe: the engine does not exist, or does not support the precision, or compute capabilities.
        """
        engine = engine or ("onnxruntime" if precision == "fp16" else "tensorrt" if precision == "fp8" else "openvino")
        if engine not in PRECISIONS:
            raise UnsupportedRecipe(f"there is no engine {engine!r}, only {', '.join(PRECISIONS)}")
        precision = precision or _lossless_precision(engine)
        if precision not in PRECISIONS[engine]:
            raise UnsupportedRecipe(f"{engine} has no precision {precision!r}, only {', '.join(PRECISIONS[engine])}")
        if compute_capabilities and engine not in PLANS:
            raise UnsupportedRecipe(f"{engine} runs on any GPU: --compute-capability is for {' and '.join(PLANS)}")
        if wrong := [name for name in compute_capabilities if not _CAPABILITY.fullmatch(name)]:
            raise UnsupportedRecipe(f"{wrong[0]!r} is no compute capability such as 8.9")
        return cls(engine, precision, tuple(compute_capabilities))

    def is_recipe_of(self, artefact: Artefact) -> bool:
        """Whether an artefact was made by this recipe; without compute capabilities, for whichever GPU."""
        if (self.engine, self.precision) != (artefact.engine, artefact.precision):
            return False
        return not self.compute_capabilities or set(self.compute_capabilities) == set(artefact.compute_capabilities)

    def build(self, folder: Path, calibration: Callable[[], Sequence[Feed]]) -> str:
        """Converts ``model.onnx`` to the engine's file, and returns the name of that file.

        Args:
            folder: folder with ``model.onnx``, in float16 for fp16, else in float32; afterwards it contains only files
                that the engine needs.
            calibration: returns inputs made from real texts, for recipes that quantize activations.

        Raises:
            ExportError: a package that the recipe requires is missing.
        """
        match self.engine, self.precision:
            case "onnxruntime" | "tensorrt" | "tensorrt-rtx", "fp16":
                compute_softmax_in_float32(folder / GRAPH_FILE)
            case "onnxruntime", "int8":
                _quantize_onnx(folder / GRAPH_FILE, calibration())
            case "openvino", "int8":
                return _quantize_openvino(folder / GRAPH_FILE, calibration())
            case "tensorrt", "fp8":
                _quantize_to_fp8(folder / GRAPH_FILE, calibration())
        return GRAPH_FILE  # the other recipes use the graph unchanged


PRECISIONS = {
    "openvino": ("bf16", "fp32", "int8"),
    "onnxruntime": ("fp32", "fp16", "int8"),
    "torch": ("bf16", "fp16", "fp32"),
    "tensorrt": ("fp16", "fp8", "fp32"),
    "tensorrt-rtx": ("fp16", "fp32"),
}
PLANS = ("tensorrt", "tensorrt-rtx")  # engines whose artefact is a plan for certain GPUs
_CAPABILITY = re.compile(r"\d{1,2}\.\d")


def describe(
    recipe: Recipe,
    folder: Path,
    file: str,
    opset: int,
    others: Sequence[str],
    compute_capabilities: Sequence[str] = (),
) -> Artefact:
    """Describes the artefact in ``folder``.

    Args:
        recipe: recipe of the artefact.
        folder: folder with the files.
        file: name of the file that the engine opens.
        opset: ONNX opset version of the graph.
        others: names of files that do not belong to the artefact.
        compute_capabilities: of the GPUs that a plan is for.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in others)
    return Artefact(
        engine=recipe.engine,
        precision=recipe.precision,
        file=file,
        opset=opset,
        size_bytes=sum(path.stat().st_size for path in files),
        sha256={path.name: sha256(path) for path in files},
        compute_capabilities=list(compute_capabilities),
    )


def _lossless_precision(engine: str) -> str:
    if engine != "openvino":
        return PRECISIONS[engine][0]
    from retriton_serving.engines.open_vino import cpu_has_bf16

    return "bf16" if cpu_has_bf16() else "fp32"


def compute_softmax_in_float32(graph: Path) -> None:
    """Wraps each softmax of a float16 graph in casts.

    It is the only step that needs it: the exporter marks layer normalisations to compute in float32 (``stash_type``),
    models upcast their own root mean squares, and pooling and what follows is float32 in the graph already.
    """
    import onnx
    from onnx import helper

    model = onnx.load(graph)
    nodes = []
    for node in model.graph.node:
        if node.op_type != "Softmax":
            nodes.append(node)
            continue
        source, target = node.input[0], node.output[0]
        node.input[0], node.output[0] = f"{target}_float32_input", f"{target}_float32"
        nodes += [
            helper.make_node("Cast", [source], [node.input[0]], to=onnx.TensorProto.FLOAT),
            node,
            helper.make_node("Cast", [node.output[0]], [target], to=onnx.TensorProto.FLOAT16),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _replace(graph, model)


def _quantize_onnx(graph: Path, feeds: Sequence[Feed]) -> None:
    """Quantizes weights and activations to int8.

    Dynamic quantization of the activations was faster, but degraded the ranking.
    """
    import onnx

    _replace(graph, _quantized(onnx.load(graph), feeds))


def _quantize_openvino(graph: Path, feeds: Sequence[Feed]) -> str:
    """Quantizes to int8, and replaces the ONNX graph by an OpenVINO model."""
    import openvino

    model = _quantized(openvino.Core().read_model(str(graph)), feeds)
    openvino.save_model(model, graph.with_suffix(".xml"), compress_to_fp16=False)
    for file in graph.parent.glob(f"{graph.name}*"):
        file.unlink()
    return graph.with_suffix(".xml").name


def _quantized(model: Any, feeds: Sequence[Feed]) -> Any:
    """Quantizes to int8 with NNCF's scheme for transformers, calibrated with ``feeds``."""
    try:
        import nncf
    except ImportError as error:
        raise ExportError(f"int8 requires the package {error.name}: pip install 'retriton[int8]'") from error
    nncf.set_log_level(logging.ERROR)
    return nncf.quantize(model, nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(feeds))


def _quantize_to_fp8(graph: Path, feeds: Sequence[Feed]) -> None:
    """Converts matrix products to FP8 and the rest to float16. Requires a GPU; not tested by the authors."""
    try:
        from modelopt.onnx.quantization import quantize
    except ImportError as error:
        raise ExportError("fp8 requires NVIDIA's Model Optimizer: pip install 'nvidia-modelopt[onnx]'") from error
    length = max(feed["input_ids"].shape[1] for feed in feeds)
    data = {
        name: np.concatenate([np.pad(feed[name], ((0, 0), (0, length - feed[name].shape[1]))) for feed in feeds])
        for name in feeds[0]
    }
    quantize(
        str(graph),
        quantize_mode="fp8",
        calibration_data=data,
        high_precision_dtype="fp16",
        output_path=str(graph),
    )


def _replace(graph: Path, model: Any) -> None:
    """Overwrites a graph; the weights stay in a separate file if they were in one."""
    import onnx

    data = graph.with_name(graph.name + ".data")
    large = data.exists()
    data.unlink(missing_ok=True)
    onnx.save(model, graph, save_as_external_data=large, location=data.name if large else None)
