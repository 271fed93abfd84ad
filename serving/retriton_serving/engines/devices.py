"""Which devices an engine computes on: those that ``RETRITON_DEVICES`` names, else all GPUs, else the CPU."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from retriton_serving.contract.variables import DEVICES

CPU = "cpu"
_NAME = re.compile(r"(cpu|cuda)(?::(\d+))?")
_DEVICE_FILES = Path("/dev")


class NoDevice(RuntimeError):
    """A device that was asked for does not exist here, or its runtime is not installed."""


def chosen_devices(gpus: int, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The devices to compute on, for example ``("cuda:0", "cuda:1")`` or ``("cpu",)``.

    ``RETRITON_DEVICES`` is ``auto`` (the default), ``cpu``, ``cuda`` (all GPUs), or a list such as ``cuda:0,cuda:2``.
    ``cpu:0,cpu:1`` are two devices on one CPU, which stand for two GPUs in tests.

    Args:
        gpus: number of GPUs that the runtime of the engine can use.
        environ: where the variable is.

    Raises:
        NoDevice: a GPU is named that the runtime cannot use.
        ValueError: the variable names no devices.
    """
    wanted = environ.get(DEVICES, "") or "auto"
    if wanted == "auto":
        wanted = "cuda" if gpus else CPU
    devices = [device for name in wanted.split(",") for device in _named(name.strip(), gpus)]
    for device in devices:
        if device.startswith("cuda") and int(device.removeprefix("cuda:")) >= gpus:
            raise NoDevice(
                f"{DEVICES} names {device}, and this engine finds {gpus} GPUs: install its GPU runtime with "
                f"`retriton setup --gpu`, check the driver with nvidia-smi, or set {DEVICES}=cpu"
            )
    return tuple(dict.fromkeys(devices))


def _named(name: str, gpus: int) -> list[str]:
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(f"{DEVICES} has {name!r}: it is auto, cpu, cuda, or a list such as cuda:0,cuda:1")
    if name == "cuda":
        return [f"cuda:{number}" for number in range(max(gpus, 1))]  # cuda:0, which is refused where there is none
    return [name]


def visible_gpus(environ: Mapping[str, str] = os.environ, device_files: Path = _DEVICE_FILES) -> int:
    """Number of NVIDIA GPUs that the driver offers this process, found without a CUDA runtime."""
    files = [file for file in device_files.glob("nvidia*") if file.name.removeprefix("nvidia").isdigit()]
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(files)
    return min(len(files), len([name for name in visible.split(",") if name.strip() not in ("", "-1")]))
