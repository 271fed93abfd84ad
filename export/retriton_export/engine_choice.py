"""Chooses an engine by what this machine has: `retriton export --engine auto`."""

from __future__ import annotations

from dataclasses import dataclass

from retriton_export.recipes import Recipe
from retriton_serving.engines.devices import visible_gpus

_BF16_CAPABILITY = (8, 0)  # the first with bfloat16 in its tensor cores


@dataclass(frozen=True)
class Machine:
    """What decides the choice.

    Attributes:
        gpus: number of NVIDIA GPUs that the driver offers.
        torch_capability: compute capability of the first GPU that PyTorch can use; None without one.
        onnxruntime_on_gpu: whether ONNX Runtime has its CUDA execution provider.
    """

    gpus: int
    torch_capability: tuple[int, int] | None
    onnxruntime_on_gpu: bool

    @classmethod
    def here(cls) -> Machine:
        """Describes this machine."""
        import onnxruntime
        import torch

        return cls(
            visible_gpus(),
            torch.cuda.get_device_capability() if torch.cuda.is_available() else None,
            "CUDAExecutionProvider" in onnxruntime.get_available_providers(),
        )


def choose(machine: Machine, precision: str | None = None) -> tuple[Recipe, str]:
    """Chooses a recipe for the machine that exports and serves.

    Args:
        machine: what it has.
        precision: required precision; None for any.

    Returns:
        The recipe, and the reason in one line.

    Raises:
        UnsupportedRecipe: the engine that fits the machine does not support the precision.
    """
    if machine.torch_capability:
        capability = "{}.{}".format(*machine.torch_capability)
        half = "bf16" if machine.torch_capability >= _BF16_CAPABILITY else "fp16"
        return (
            Recipe.choose("torch", precision or half),
            f"PyTorch finds a GPU of compute capability {capability}, which is fast in {half}; serve with "
            "--variant python_gpu from an environment of `retriton setup --gpu`",
        )
    if machine.gpus and machine.onnxruntime_on_gpu:
        return (
            Recipe.choose("onnxruntime", precision or "fp16"),
            "there is a GPU, PyTorch is built without CUDA, and ONNX Runtime has its CUDA execution provider; "
            "serve with --variant python_gpu from an environment of `retriton setup --gpu`",
        )
    recipe = Recipe.choose(None, precision)
    if machine.gpus:
        return recipe, (
            "there is a GPU, but neither PyTorch nor ONNX Runtime is built for it here, so the CPU is used: install "
            "a PyTorch with CUDA, and run `retriton setup --gpu`"
        )
    return recipe, f"there is no NVIDIA GPU; {recipe} is the fastest lossless choice on this CPU"
