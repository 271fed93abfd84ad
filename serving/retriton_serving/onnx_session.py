"""The exported graph in ONNX Runtime, as it is served on a CPU."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "sentence_embedding"


def load_session(graph: Path) -> onnxruntime.InferenceSession:
    """The graph on one thread a call; calls may run side by side."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Patterns are kept per shape, and every micro-batch has a shape of its own.
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
