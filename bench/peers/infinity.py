"""How Infinity is started."""

from __future__ import annotations

from pathlib import Path

from bench.peers.server import MODEL

ENVIRON = {"INFINITY_ANONYMOUS_USAGE_STATS": "0"}


def torch(checkpoint: Path, port: int) -> list[str]:
    """With PyTorch in float32."""
    command = ["infinity_emb.cli", "v2", "--model-id", str(checkpoint), "--port", str(port), "--host", "127.0.0.1"]
    command += ["--served-model-name", MODEL, "--url-prefix", "/v1", "--engine", "torch", "--device", "cpu"]
    return [*command, "--no-bettertransformer", "--no-model-warmup", "--log-level", "error"]


def bfloat16(checkpoint: Path, port: int) -> list[str]:
    """With PyTorch in bfloat16."""
    return [*torch(checkpoint, port), "--dtype", "bfloat16"]
