"""How vLLM is started."""

from __future__ import annotations

from pathlib import Path

from bench.peers.server import MODEL

# Threads on all cores; by default vLLM leaves one to its server.
ENVIRON = {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}


def command(checkpoint: Path, port: int) -> list[str]:
    """In bfloat16, with little memory for a cache of keys and values, which an encoder does not need."""
    options = ["--model", str(checkpoint), "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    options += ["--runner", "pooling", "--dtype", "bfloat16", "--gpu-memory-utilization", "0.1"]
    quiet = ["--disable-uvicorn-access-log", "--no-enable-log-requests"]
    return ["vllm.entrypoints.openai.api_server", *options, *quiet]
