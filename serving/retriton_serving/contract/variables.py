"""Environment variables by which the launcher configures the models inside Triton."""

from __future__ import annotations

DEVICES = "RETRITON_DEVICES"
DRAIN_FOLDER = "RETRITON_DRAIN_FOLDER"
ONNXRUNTIME_PROVIDER = "RETRITON_ONNXRUNTIME_PROVIDER"
QUERY_CACHE_MB = "RETRITON_QUERY_CACHE_MB"
START_SECRET = "RETRITON_START_SECRET"  # noqa: S105 - the variable's name
