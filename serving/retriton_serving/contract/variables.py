"""Environment variables by which the launcher configures the models inside Triton."""

from __future__ import annotations

DRAIN_FOLDER = "RETRITON_DRAIN_FOLDER"
QUERY_CACHE_MB = "RETRITON_QUERY_CACHE_MB"
