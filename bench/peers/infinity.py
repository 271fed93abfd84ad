"""How Infinity is started."""

from __future__ import annotations

from pathlib import Path

from bench.peers.server import MODEL

ENVIRON = {"INFINITY_ANONYMOUS_USAGE_STATS": "0"}


def command(checkpoint: Path, port: int) -> list[str]:
    """PyTorch in bfloat16. BetterTransformer needs an older optimum."""
    options = ["--model-id", str(checkpoint), "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    options += ["--url-prefix", "/v1", "--engine", "torch", "--device", "cpu", "--dtype", "bfloat16"]
    return ["infinity_emb.cli", "v2", *options, "--no-bettertransformer", "--no-model-warmup", "--log-level", "error"]
