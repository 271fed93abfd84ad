"""The state of a model's devices: in Triton's metrics, in its log, and in the report that `encoder_info` answers."""

from __future__ import annotations

import os
from pathlib import Path

import triton_python_backend_utils as pb_utils

from retriton_serving.contract.device_report import DeviceReport
from retriton_serving.contract.models import CROSS_ENCODER, ENCODER
from retriton_serving.contract.variables import DRAIN_FOLDER


class DeviceState:
    """Publishes the state of the devices of one model.

    Args:
        model: its name.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        family = pb_utils.MetricFamily
        # The family is kept: Triton removes the metrics of one that is collected.
        self._family = family("retriton_devices", "Devices of a model by state: working or failed.", family.GAUGE)
        self._metrics = {
            state: self._family.Metric(labels={"model": model, "state": state}) for state in ("working", "failed")
        }

    def publish(self, report: DeviceReport) -> None:
        """Publishes a new state."""
        self._metrics["working"].set(len(report.working))
        self._metrics["failed"].set(len(report.failed))
        if problem := report.problem():
            pb_utils.Logger.log_error(f"{self._model}: {problem}")
        if folder := os.environ.get(DRAIN_FOLDER):
            report.write(Path(folder), self._model)


def device_problems() -> str:
    """The devices of this server that failed, one model a line; empty if all work, or if no launcher started it."""
    folder = os.environ.get(DRAIN_FOLDER)
    if not folder:
        return ""
    problems = {model: DeviceReport.read(Path(folder), model).problem() for model in (ENCODER, CROSS_ENCODER)}
    return "\n".join(f"{model}: {problem}" for model, problem in problems.items() if problem)
