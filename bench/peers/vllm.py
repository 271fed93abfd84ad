"""How vLLM is started."""

from __future__ import annotations

from pathlib import Path

from bench.peers.server import MODEL

# Threads on all cores; by default vLLM leaves one to its server.
ENVIRON = {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}


def float32(checkpoint: Path, port: int) -> list[str]:
    """In float32."""
    return _serve(checkpoint, port, "float32")


def bfloat16(checkpoint: Path, port: int) -> list[str]:
    """In bfloat16."""
    return _serve(checkpoint, port, "bfloat16")


def _serve(checkpoint: Path, port: int, dtype: str) -> list[str]:
    command = ["vllm.entrypoints.openai.api_server", "--model", str(checkpoint), "--runner", "pooling"]
    command += ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port), "--dtype", dtype]
    return [*command, "--disable-uvicorn-access-log", "--no-enable-log-requests", "--gpu-memory-utilization", "0.1"]
