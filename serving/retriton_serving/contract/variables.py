"""Environment variables that configure the launcher, and by which it configures the models inside Triton."""

from __future__ import annotations

DEVICES = "RETRITON_DEVICES"
DRAIN_FOLDER = "RETRITON_DRAIN_FOLDER"
ONNXRUNTIME_PROVIDER = "RETRITON_ONNXRUNTIME_PROVIDER"
LANE_PROCESSES = "RETRITON_LANE_PROCESSES"
QUERY_CACHE_MB = "RETRITON_QUERY_CACHE_MB"
START_SECRET = "RETRITON_START_SECRET"  # noqa: S105 - the variable's name
