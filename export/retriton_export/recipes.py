"""How each engine gets its file from the exported graph, and which engine is the default on this machine."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retriton_export.errors import ExportError, UnsupportedRecipe
from retriton_serving.contract.manifest import Artefact
from retriton_serving.engines import Feed

GRAPH_FILE = "model.onnx"


@dataclass(frozen=True)
class Recipe:
    """An engine and its precision; `str` gives for example ``openvino bf16``."""

    engine: str
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"

    @classmethod
    def choose(cls, engine: str | None = None, precision: str | None = None) -> Recipe:
        """The fastest lossless recipe on this machine (see docs/benchmarks.md), as far as the user leaves it open.

        Raises:
            UnsupportedRecipe: the engine does not exist or has no such precision.
        """
        engine = engine or ("onnxruntime" if precision == "fp16" else "tensorrt" if precision == "fp8" else "openvino")
        if engine not in PRECISIONS:
            raise UnsupportedRecipe(f"there is no engine {engine!r}, only {', '.join(PRECISIONS)}")
        precision = precision or _lossless_precision(engine)
        if precision not in PRECISIONS[engine]:
            raise UnsupportedRecipe(f"{engine} has no precision {precision!r}, only {', '.join(PRECISIONS[engine])}")
        return cls(engine, precision)

    def build(self, folder: Path, calibration: Callable[[], Sequence[Feed]]) -> str:
        """Makes the engine's file in ``folder``, where ``model.onnx`` in float32 is, and returns its name.

        Args:
            folder: it holds nothing but what the engine needs afterwards.
            calibration: gives inputs of real texts, for recipes that must see the range of activations.

        Raises:
            ExportError: a library is missing that this recipe needs.
        """
        match self.engine, self.precision:
            case "onnxruntime", "fp16":
                _to_float16(folder / GRAPH_FILE)
            case "onnxruntime", "int8":
                _quantize_onnx(folder / GRAPH_FILE, calibration())
            case "openvino", "int8":
                return _quantize_openvino(folder / GRAPH_FILE, calibration())
            case "tensorrt", "fp16":
                _to_float16(folder / GRAPH_FILE)
            case "tensorrt", "fp8":
                _quantize_to_fp8(folder / GRAPH_FILE, calibration())
        return GRAPH_FILE  # the others compute the graph as it is


PRECISIONS = {
    "openvino": ("bf16", "fp32", "int8"),
    "onnxruntime": ("fp32", "fp16", "int8"),
    "tensorrt": ("fp16", "fp8"),
}


def describe(recipe: Recipe, folder: Path, file: str, opset: int, others: Sequence[str]) -> Artefact:
    """The artefact of all files in ``folder`` but ``others``."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in others)
    return Artefact(
        engine=recipe.engine,
        precision=recipe.precision,
        file=file,
        opset=opset,
        size_bytes=sum(path.stat().st_size for path in files),
        sha256={path.name: sha256(path) for path in files},
    )


def sha256(file: Path) -> str:
    """Hex digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _lossless_precision(engine: str) -> str:
    if engine != "openvino":
        return PRECISIONS[engine][0]
    from retriton_serving.engines.open_vino import cpu_has_bf16

    return "bf16" if cpu_has_bf16() else "fp32"


def _to_float16(graph: Path) -> None:
    """Weights and operators in float16, inputs and outputs as before."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load(graph), keep_io_types=True)
    _replace(graph, model)


def _quantize_onnx(graph: Path, feeds: Sequence[Feed]) -> None:
    """Weights and activations in int8. Quantizing activations while they are computed was faster, and lost ranking."""
    import onnx

    _replace(graph, _quantized(onnx.load(graph), feeds))


def _quantize_openvino(graph: Path, feeds: Sequence[Feed]) -> str:
    """The same as an OpenVINO model, in place of the ONNX graph."""
    import openvino

    model = _quantized(openvino.Core().read_model(str(graph)), feeds)
    openvino.save_model(model, graph.with_suffix(".xml"), compress_to_fp16=False)
    for file in graph.parent.glob(f"{graph.name}*"):
        file.unlink()
    return graph.with_suffix(".xml").name


def _quantized(model: Any, feeds: Sequence[Feed]) -> Any:
    """The model with weights and activations in int8 where NNCF finds it harmless; ranges are those of ``feeds``."""
    try:
        import nncf
    except ImportError as error:
        raise ExportError(f"int8 needs {error.name}: pip install 'retriton[int8]'") from error
    nncf.set_log_level(logging.ERROR)
    return nncf.quantize(model, nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(feeds))


def _quantize_to_fp8(graph: Path, feeds: Sequence[Feed]) -> None:
    """Matrix products in FP8, the rest in float16. Needs a GPU, and was not run by the authors."""
    try:
        from modelopt.onnx.quantization import quantize
    except ImportError as error:
        raise ExportError("fp8 needs NVIDIA's Model Optimizer: pip install 'nvidia-modelopt[onnx]'") from error
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
    """Writes a model over an exported one, weights inside as far as the format allows."""
    import onnx

    data = graph.with_name(graph.name + ".data")
    large = data.exists()
    data.unlink(missing_ok=True)
    onnx.save(model, graph, save_as_external_data=large, location=data.name if large else None)
